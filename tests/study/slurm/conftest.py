"""A real Slurm of one node for these tests: munged, slurmctld and slurmd, in a temporary folder."""

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

NEEDED = ("munged", "slurmctld", "slurmd", "srun", "sbatch", "squeue", "scancel", "scontrol")
SBIN = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=2
MpiDefault=none
KillWait=20
NodeName=node NodeHostname={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=2000
PartitionName=main Nodes=node Default=YES MaxTime=INFINITE State=UP
"""


def free_ports(number):
    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(socket.socket())) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def wait_for(found, seconds=30):
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@contextmanager
def daemon(*command, log):
    """A process that ends with the block."""
    path = shutil.which(command[0], path=SBIN)
    with log.open("w") as output:
        process = subprocess.Popen([path, *command[1:]], stdout=output, stderr=output)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture(scope="session")
def slurm():
    """A Slurm for all tests; its folder, with the logs."""
    with slurm_of_one_node() as folder:
        yield folder


@contextmanager
def slurm_of_one_node():
    """Start a Slurm of one node and two processors; its folder, with the logs."""
    lacking = [name for name in NEEDED if shutil.which(name, path=SBIN) is None]
    if lacking:
        pytest.skip(f"no Slurm here: {', '.join(lacking)} (Debian: apt-get install slurm-wlm)")
    # Short, for sockets have short names.
    with tempfile.TemporaryDirectory(prefix="slurm-") as name, ExitStack() as stack:
        folder = Path(name)
        for own in ("state", "spool"):
            (folder / own).mkdir()
        (folder / "munge.key").write_bytes(os.urandom(128))
        (folder / "munge.key").chmod(0o600)
        configuration = folder / "slurm.conf"
        configuration.write_text(
            CONFIGURATION.format(
                host=socket.gethostname().partition(".")[0],
                ports=free_ports(2),
                user=getpass.getuser(),
                folder=folder,
            )
        )
        (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
        before = os.environ.get("SLURM_CONF")
        os.environ["SLURM_CONF"] = str(configuration)
        try:
            files = {"socket": "socket", "key-file": "key", "pid-file": "pid"}
            files |= {"log-file": "log", "seed-file": "seed"}
            munge = [f"--{option}={folder}/munge.{end}" for option, end in files.items()]
            stack.enter_context(
                daemon("munged", "--foreground", "--force", *munge, log=folder / "munged.out")
            )
            wait_for((folder / "munge.socket").exists)
            stack.enter_context(daemon("slurmctld", "-D", "-c", log=folder / "slurmctld.out"))
            stack.enter_context(daemon("slurmd", "-D", "-N", "node", log=folder / "slurmd.out"))
            try:
                wait_for(lambda: said("sinfo", "--noheader", "--format=%T") == "idle")
            except AssertionError:
                logs = [f"{log.name}: {log.read_text()}" for log in sorted(folder.glob("*.[lo]*"))]
                pytest.fail("Slurm does not start\n" + "\n".join(logs))
            yield folder
            said("scancel", f"--user={getpass.getuser()}")
            wait_for(lambda: not said("squeue", "--noheader"))
        finally:
            if before is None:
                del os.environ["SLURM_CONF"]
            else:
                os.environ["SLURM_CONF"] = before


def said(*command):
    """What a command of Slurm says."""
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()
