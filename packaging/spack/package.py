# SPDX-License-Identifier: Apache-2.0
"""Spack: put this file into a repository as packages/deepxtrace/package.py. NOT BUILT by the project's
tests, which do not have Spack."""
from spack.package import *


class Deepxtrace(CMakePackage):
    """Finds the slow rank, receiver or path in expert-parallel communication."""

    license("Apache-2.0")
    version("0.1.0")  # of a local source: spack dev-build deepxtrace@0.1.0

    variant("pictures", default=True, description="PNG and PDF")
    variant("serve", default=True, description="The live page and metrics")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("jansson")
    depends_on("zlib-api")
    depends_on("cairo", when="+pictures")
    depends_on("sqlite@3.38:", when="+serve")
    depends_on("libmicrohttpd", when="+serve")
    depends_on("curl", when="+serve")
    depends_on("python@3.9:", type="run")

    def cmake_args(self):
        return [self.define("DXT_TESTS", False), self.define("DXT_CUDA", False)]
