# SPDX-License-Identifier: Apache-2.0
"""Work of a known length on a GPU, as a kernel that CUDA graphs can hold: it takes the next of a
list of durations, and adds what the host says at that moment. Compiled by nvcc when first used."""
import ctypes
import os
import subprocess
import tempfile

import torch

SOURCE = r"""
extern "C" __global__ void spin(const unsigned *durations, unsigned count, unsigned *next,
                                const volatile int *more)
{
    unsigned long long begin, now;
    asm volatile("mov.u64 %0, %globaltimer;" : "=l"(begin));
    unsigned turn = *next;
    *next = turn + 1;
    long long length = (long long)durations[turn % count] + *more;
    do {
        asm volatile("mov.u64 %0, %globaltimer;" : "=l"(now));
    } while ((long long)(now - begin) < length);
}
"""


def _check(error, what):
    if error != 0:
        raise RuntimeError(f"{what}: CUDA error {error}")


def compile_once():
    """The kernel as a cubin of this machine's GPU; path of the file."""
    major, minor = torch.cuda.get_device_capability()
    path = os.path.join(tempfile.gettempdir(), f"deepxtrace-spin-{os.getuid()}-{major}{minor}")
    if not os.path.exists(path):
        with tempfile.TemporaryDirectory() as folder:
            source, made = os.path.join(folder, "spin.cu"), os.path.join(folder, "spin.cubin")
            with open(source, "w", encoding="utf-8") as file:
                file.write(SOURCE)
            nvcc = os.path.join(os.environ.get("CUDA_HOME", "/usr/local/cuda"), "bin", "nvcc")
            subprocess.run([nvcc, "-cubin", f"-arch=sm_{major}{minor}", "-o", made, source],
                           check=True)
            with open(made, "rb") as file, open(f"{path}.{os.getpid()}", "wb") as copy:
                copy.write(file.read())
            os.replace(f"{path}.{os.getpid()}", path)
    return path


class Spin:
    """Spins for durations[0], durations[1], … ns and round again, each time `more` ns longer;
    `more` may be set at any time."""

    def __init__(self, durations):
        self._driver = ctypes.CDLL("libcuda.so.1")
        torch.zeros(1, device="cuda")  # makes the context current
        with open(compile_once(), "rb") as file:
            self._image = file.read()
        self._module, self._function = ctypes.c_void_p(), ctypes.c_void_p()
        _check(self._driver.cuModuleLoadData(ctypes.byref(self._module), self._image), "loading")
        _check(self._driver.cuModuleGetFunction(ctypes.byref(self._function), self._module,
                                                b"spin"), "finding the kernel")
        self._durations = torch.tensor(durations, dtype=torch.int32, device="cuda")
        self._next = torch.zeros(1, dtype=torch.int32, device="cuda")
        self._more = torch.zeros(1, dtype=torch.int32, device="cpu", pin_memory=True)

    @property
    def more(self):
        return int(self._more[0])

    @more.setter
    def more(self, ns):
        self._more[0] = int(ns)

    def __call__(self):
        """Launch on the current stream."""
        values = (ctypes.c_uint64(self._durations.data_ptr()),
                  ctypes.c_uint32(self._durations.numel()),
                  ctypes.c_uint64(self._next.data_ptr()), ctypes.c_uint64(self._more.data_ptr()))
        pointers = (ctypes.c_void_p * len(values))(*[
            ctypes.cast(ctypes.pointer(value), ctypes.c_void_p).value for value in values])
        stream = ctypes.c_void_p(torch.cuda.current_stream().cuda_stream)
        _check(self._driver.cuLaunchKernel(self._function, 1, 1, 1, 1, 1, 1, 0, stream, pointers,
                                           None), "launching")
