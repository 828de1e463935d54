"""Random LoRA adapters for SmolLM2-135M, to measure what adapters cost: random_adapters.py FOLDER [COUNT [RANK]].

Each changes all linear modules of all layers. Needs numpy and safetensors.
"""
import json
import pathlib
import sys

import numpy
from safetensors.numpy import save_file

WIDTH, INNER, KEY_VALUE, LAYERS = 576, 1536, 192, 30
# Outputs and inputs.
MODULES = {
    "self_attn.q_proj": (WIDTH, WIDTH), "self_attn.k_proj": (KEY_VALUE, WIDTH), "self_attn.v_proj": (KEY_VALUE, WIDTH),
    "self_attn.o_proj": (WIDTH, WIDTH), "mlp.gate_proj": (INNER, WIDTH), "mlp.up_proj": (INNER, WIDTH),
    "mlp.down_proj": (WIDTH, INNER),
}


def main(folder, count=16, rank=16):
    for number in range(int(count)):
        random, tensors = numpy.random.default_rng(number), {}
        for layer in range(LAYERS):
            for module, (outputs, inputs) in MODULES.items():
                name = f"base_model.model.model.layers.{layer}.{module}"
                down = random.standard_normal((int(rank), inputs)) / inputs**0.5
                up = random.standard_normal((outputs, int(rank))) * 0.02
                tensors[f"{name}.lora_A.weight"] = down.astype(numpy.float32)
                tensors[f"{name}.lora_B.weight"] = up.astype(numpy.float32)
        path = pathlib.Path(folder) / f"a{number}"
        path.mkdir(parents=True, exist_ok=True)
        save_file(tensors, path / "adapter_model.safetensors")
        targets = [module.rpartition(".")[2] for module in MODULES]
        configuration = {"peft_type": "LORA", "r": int(rank), "lora_alpha": int(rank), "target_modules": targets}
        (path / "adapter_config.json").write_text(json.dumps(configuration))


main(*sys.argv[1:])
