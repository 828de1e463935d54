"""Builds the policies of Tests/Plugins that are written in C."""
import subprocess

from quire_server import REPOSITORY


def build(folder, file, *defines):
    """The library made of Tests/Plugins/`file`."""
    names = "".join("-" + define.replace("=", "-").replace('"', "") for define in defines)
    library = folder / f"lib{file.removesuffix('.c')}{names}.so"
    subprocess.run(
        ["clang", "-std=c11", "-O2", "-shared", "-fPIC", "-I", REPOSITORY / "Sources/CQuirePlugin/include",
         *(f"-D{define}" for define in defines), "-o", library, REPOSITORY / "Tests/Plugins" / file], check=True)
    return library
