"""What the files of a sheet are called."""

from __future__ import annotations

from dataclasses import dataclass

INDEX, INDEX_PICTURE = "README.md", "temporal-gain.svg"


@dataclass(frozen=True)
class Names:
    """Files of one workload's sheet, in one folder."""

    workload: str

    @property
    def page(self) -> str:
        """The sheet, Markdown."""
        return f"{self.workload}.md"

    @property
    def stats(self) -> str:
        """Statistics, kept for whoever has not the data."""
        return f"{self.workload}.stats.json"

    @property
    def samples(self) -> str:
        """A row a sample."""
        return f"{self.workload}.samples.csv"

    @property
    def marks(self) -> str:
        """A row a mark, of long recordings."""
        return f"{self.workload}.marks.csv"

    @property
    def croissant(self) -> str:
        """The sheet for machines."""
        return f"{self.workload}.croissant.json"

    @property
    def sample(self) -> str:
        """Picture of samples."""
        return f"{self.workload}.sample.svg"

    @property
    def statistics(self) -> str:
        """Figure of the statistics."""
        return f"{self.workload}.statistics.svg"

    @property
    def baseline(self) -> str:
        """Figure of the networks."""
        return f"{self.workload}.baseline.svg"
