"""Reading machine code: what an inner block consists of, and that the large products' stays lean."""

import pytest

pytest.importorskip("cuda.core", reason="CUDA kernels need numba-cuda: pip install '.[cuda-test]'")

from benchmarks import machine_code
from kerasish.device import cuda_jit

MOST = {  # instructions per multiplication; what the compiler at hand makes of them is a tenth less
    "product_128x128": 1.4,
    "outer_128x128": 1.4,
    "tensor_tf32_128x128": 7.1,
    "outer_tf32_128x128": 7.6,
}
TEXT = """
.L_x_0:
        /*0010*/                   FFMA R1, R2, R3, R1 ;
        /*0020*/              @!P0 BRA `(.L_x_0) ;
.L_x_1:
        /*0030*/                   FFMA R1, R2, R3, R1 ;
        /*0040*/               @P1 FFMA R4, R2, R3, R4 ;
        /*0050*/                   IMAD.IADD R6, R7, 0x1, R8 ;
.L_x_2:
        /*0060*/              @!P0 BRA `(.L_x_1) ;
        /*0070*/                   BRA `(.L_x_3) ;
.L_x_3:
"""


@pytest.fixture
def nvdisasm():
    try:
        return machine_code.disassembler()
    except ImportError as error:
        pytest.skip(f"{error}; or pip install '.[cuda-test]'")


def test_the_inner_block_is_the_loop_with_the_most_multiplications(monkeypatch):
    monkeypatch.setattr(machine_code, "disassembled", lambda cubin: TEXT)
    block = machine_code.inner_block(b"")
    assert (block.multiplications, block.total) == (2, 4)
    assert block.counts == {"FFMA": 2, "IMAD": 1, "BRA": 1}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "most"), MOST.items())
def test_large_products_spend_their_issue_slots_on_multiplications(nvdisasm, name, most):
    kernel = next(kernel for kernel in machine_code.kernels([name]) if kernel.name == name)
    block = machine_code.inner_block(cuda_jit.link(cuda_jit.ptx(kernel), (9, 0)).cubin)
    assert 1 < block.total / block.multiplications <= most


def test_the_table_goes_between_the_marks(tmp_path):
    file = tmp_path / "page.md"
    file.write_text(f"before\n{machine_code.START}\nold\n{machine_code.END}\nafter\n")
    machine_code.write_table(str(file), "| new |")
    assert file.read_text() == f"before\n{machine_code.START}\n| new |\n{machine_code.END}\nafter\n"
    file.write_text("nothing")
    with pytest.raises(ValueError, match="has no marks"):
        machine_code.write_table(str(file), "x")
