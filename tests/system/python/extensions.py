"""Imports every extension module of lib-dynload, which opens each as a library of its own."""
import importlib
import importlib.machinery
import pathlib
import sysconfig

folder = pathlib.Path(sysconfig.get_path("stdlib")) / "lib-dynload"
suffixes = tuple(importlib.machinery.EXTENSION_SUFFIXES)
for file in sorted(folder.iterdir()):
    if file.name.endswith(suffixes):
        name = file.name.split(".")[0]
        try:
            print(name, len(dir(importlib.import_module(name))))
        except ImportError as error:
            print(name, "-", error)
