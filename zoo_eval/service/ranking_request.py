"""What somebody asks for who wants networks ranked, and the command that does it."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from zoo_eval.datasets.spec import ClassFolder, DatasetSpec
from zoo_eval.ranking.candidates import ModelLimits
from zoo_eval.ranking.rank import DEFAULT_MANIFEST

# Control characters are in no name of a licence or a column, and a NUL in no command.
_Name = Annotated[str, Field(pattern=r"^[^\x00-\x1f]+$", max_length=200)]


class RankingRequest(BaseModel):
    """Images, and what the networks for them must keep to."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"source": "fashion", "manifest": "fashion", "top": 3, "budget": "2m"}]
        },
    )

    source: str = Field(
        description="Full path of a folder of images, or of a CSV or Parquet table, in one of the "
        "allowed folders; or `fashion`.",
        max_length=4096,
    )
    manifest: str = Field(
        DEFAULT_MANIFEST,
        description="Where the networks are from: a builtin name, or a full path likewise.",
        max_length=4096,
    )
    top: int = Field(5, ge=1, le=1000, description="How many networks are wanted.")
    max_params: float | None = Field(None, gt=0, le=1e15, description="Parameters at most.")
    max_macs: float | None = Field(
        None, gt=0, le=1e18, description="Multiply-accumulates of one image at most."
    )
    licences: list[_Name] = Field([], max_length=100, description="That will do; none: all.")
    budget: _Name | None = Field(None, description="Time that it may take.", examples=["20m"])
    workers: int | None = Field(None, ge=1, le=1024, description="Worker processes.")
    class_folder: ClassFolder = Field("last", description="In nested folders, which is the class.")
    image_column: _Name = Field("image", description="Column of a table's images.")
    label_column: _Name = Field("label", description="Column of a table's classes.")

    @property
    def images(self) -> DatasetSpec:
        """The images; a table's paths never lead out of its folder."""
        return DatasetSpec(
            self.source,
            image_column=self.image_column,
            label_column=self.label_column,
            class_folder=self.class_folder,
        )

    @property
    def name(self) -> str:
        """For lists: the last part of the path."""
        return self.images.name or self.source

    @property
    def limits(self) -> ModelLimits:
        """What the networks must keep to."""
        return ModelLimits(self.max_params, self.max_macs, tuple(self.licences))

    @property
    def store(self) -> str:
        """File name of the race's store: races over the same images go on from one another."""
        digest = hashlib.sha256(f"{self.source}\n{self.manifest}".encode()).hexdigest()[:12]
        return f"{digest}.duckdb"

    def arguments(self, files: Mapping[str, Path]) -> list[str]:
        """Arguments of `zoo-eval`; what stands behind `=` or `--` is no option, however it begins.

        Args:
            files: Options that say where to write.
        """
        wishes = self.model_dump(exclude={"source", "licences"}, exclude_none=True)
        options = [f"--{name.replace('_', '-')}={wish}" for name, wish in wishes.items()]
        options += [f"--licence={licence}" for licence in self.licences]
        places = [f"--{name}={path}" for name, path in files.items()]
        return ["rank", *places, *options, "--", self.source]
