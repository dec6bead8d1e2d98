"""Lightning and Hugging Face train a placed network as a plain loop does."""

import copy
import socket

import pytest
import torch
from torch import nn

import brainrnn as br

STEPS = 8
X = torch.randn(STEPS * 4, 5, generator=torch.Generator().manual_seed(0))
Y = X[:, :2] * 0.5


class Net(nn.Module):
    """Loss and outputs in Hugging Face's form."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(5, 9), nn.Tanh(), nn.Linear(9, 9), nn.Linear(9, 2))

    def forward(self, x, labels=None):
        outputs = self.body(x)
        return {"loss": (outputs - labels).square().mean(), "logits": outputs}


def method(form, **swap):
    return br.BIMT(strength=0.05, form=form, swap=br.SwapSpec(every=3, **swap))


@pytest.fixture(params=["proximal", "subgradient"])
def plain(request):
    """(form, network before, network and places after a plain loop)."""
    torch.manual_seed(1)
    start = Net()
    net = copy.deepcopy(start)
    placed = br.place(net.body, br.grid(3, 3))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for step in range(STEPS):
        rows = slice(4 * step, 4 * step + 4)
        loss = net(X[rows], Y[rows])["loss"]
        loss = loss + placed.penalty(method(request.param), progress=step / STEPS)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        placed.after_step(optimizer, method(request.param), progress=step / STEPS)
    assert not torch.equal(placed.anatomy.places("h1")[0], torch.arange(9))
    return request.param, start, net, placed


def assert_same(one, two):
    (net, placed), (other, others) = one, two
    for name, value in net.state_dict().items():
        torch.testing.assert_close(value, other.state_dict()[name], rtol=0, atol=1e-6)
    for name, value in placed.state_dict().items():
        assert torch.equal(value, others.state_dict()[name]), name


def test_lightning(plain, tmp_path):
    lightning = pytest.importorskip("lightning")
    from brainrnn.training.lightning import PlacedTraining

    form, start, net, placed = plain

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = copy.deepcopy(start)

        def training_step(self, batch, index):
            return self.net(*batch)["loss"]

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), lr=0.01)

    def trainer(callback, epochs):
        return lightning.Trainer(
            max_epochs=epochs,
            accelerator="cpu",
            callbacks=[callback],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )

    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, Y), batch_size=4)
    module = Module()
    ours = br.place(module.net.body, br.grid(3, 3))
    once = trainer(PlacedTraining(ours, method(form)), 1)
    once.fit(module, loader)
    assert_same((net, placed), (module.net, ours))

    # Steps that the places had before do not count as the trainer's.
    late = Module()
    moved = br.place(late.net.body, br.grid(3, 3))
    moved.step = 99  # as after a training of its own, a multiple of three
    trainer(PlacedTraining(moved, method(form)), 1).fit(late, loader)
    assert moved.step == 99 + STEPS
    assert torch.equal(moved.anatomy.places("h1"), ours.anatomy.places("h1"))

    once.save_checkpoint(tmp_path / "last.ckpt")
    again = Module()
    theirs = br.place(again.net.body, br.grid(3, 3))
    more = trainer(PlacedTraining(theirs, method(form)), 1)
    more.fit(again, loader, ckpt_path=tmp_path / "last.ckpt", weights_only=False)
    assert_same((module.net, ours), (again.net, theirs))


def test_hugging_face(plain, tmp_path):
    transformers = pytest.importorskip("transformers")
    from brainrnn.training.huggingface import PlacedTraining

    form, start, net, placed = plain
    rows = [{"x": x, "labels": y} for x, y in zip(X, Y, strict=True)]

    def trainer(model, callback, **options):
        arguments = transformers.TrainingArguments(
            output_dir=str(tmp_path),
            per_device_train_batch_size=4,
            num_train_epochs=1,
            max_grad_norm=0,
            use_cpu=True,
            report_to=[],
            disable_tqdm=True,
            save_strategy="steps",
            save_steps=5,
            **options,
        )

        class InOrder(transformers.Trainer):
            def _get_train_sampler(self, *_):
                return torch.utils.data.SequentialSampler(rows)

        adam = torch.optim.Adam(model.parameters(), lr=0.01)
        constant = torch.optim.lr_scheduler.LambdaLR(adam, lambda _: 1.0)
        return InOrder(
            model,
            arguments,
            train_dataset=rows,
            callbacks=[callback],
            optimizers=(adam, constant),
        )

    model = copy.deepcopy(start)
    ours = br.place(model.body, br.grid(3, 3))
    trainer(model, PlacedTraining(ours, method(form))).train()
    assert_same((net, placed), (model, ours))

    (tmp_path / "checkpoint-5").rename(tmp_path / "checkpoint-away")
    lost = copy.deepcopy(start)
    resumed = trainer(lost, PlacedTraining(br.place(lost.body, br.grid(3, 3)), method(form)))
    with pytest.warns(UserWarning, match=r"no file .*places.pt, so that neurons stay"):
        resumed.train(resume_from_checkpoint=str(tmp_path / "checkpoint-away"))
    (tmp_path / "checkpoint-away").rename(tmp_path / "checkpoint-5")

    again = copy.deepcopy(start)
    theirs = br.place(again.body, br.grid(3, 3))
    resumed = trainer(again, PlacedTraining(theirs, method(form)))
    resumed.train(resume_from_checkpoint=str(tmp_path / "checkpoint-5"))
    assert_same((net, placed), (again, theirs))


def _replica(rank, port, form, start, queue):
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2
    )
    net = nn.parallel.DistributedDataParallel(copy.deepcopy(start))
    placed = br.place(net.module.body, br.grid(3, 3))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for step in range(STEPS):
        rows = slice(4 * step + 2 * rank, 4 * step + 2 * rank + 2)
        loss = net(X[rows], Y[rows])["loss"]
        loss = loss + placed.penalty(method(form), progress=step / STEPS)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        placed.after_step(optimizer, method(form), progress=step / STEPS)
    weights = {name: value.tolist() for name, value in net.module.state_dict().items()}
    queue.put((rank, weights, placed.anatomy.places("h1").tolist()))
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize("plain", ["subgradient"], indirect=True)
def test_data_parallel_replicas_stay_alike(plain):
    form, start, net, placed = plain
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = torch.multiprocessing.get_context("spawn")
    queue = context.Queue()
    workers = [
        context.Process(target=_replica, args=(rank, port, form, start, queue)) for rank in (0, 1)
    ]
    for worker in workers:
        worker.start()
    results = [queue.get(timeout=120) for _ in workers]
    for worker in workers:
        worker.join(60)
    for _, weights, places in results:
        assert places == placed.anatomy.places("h1").tolist()
        for name, value in net.state_dict().items():
            torch.testing.assert_close(value, torch.tensor(weights[name]), rtol=0, atol=1e-6)
