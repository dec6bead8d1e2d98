"""Networks of groups: what their embeddings hold, and what each module is for."""
