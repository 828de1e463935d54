// The kernel tables that this CPU can run.
#include "attention_scratch.h"
#include "tables.h"

const quire_kernels *_Nullable quire_kernels_for(quire_isa isa) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    int avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
                 && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    int vnni = avx512 && __builtin_cpu_supports("avx512vnni");
    switch (isa) {
        case quire_isa_portable: return &quire_table_portable;
        case quire_isa_avx2: return avx2 ? &quire_table_avx2 : NULL;
        case quire_isa_avx512: return avx512 ? &quire_table_avx512 : NULL;
        case quire_isa_avx512vnni: return vnni ? &quire_table_avx512vnni : NULL;
        case quire_isa_avx512bf16:
            return vnni && __builtin_cpu_supports("avx512bf16") ? &quire_table_avx512bf16 : NULL;
    }
    return NULL;
#else
    return isa == quire_isa_portable ? &quire_table_portable : NULL;
#endif
}

quire_isa quire_best_isa(void) {
    for (int isa = quire_isa_avx512bf16; isa > quire_isa_portable; isa--) {
        if (quire_kernels_for((quire_isa)isa)) {
            return (quire_isa)isa;
        }
    }
    return quire_isa_portable;
}

const char *quire_isa_name(quire_isa isa) {
    switch (isa) {
        case quire_isa_portable: return "portable";
        case quire_isa_avx2: return "avx2";
        case quire_isa_avx512: return "avx512";
        case quire_isa_avx512vnni: return "avx512vnni";
        case quire_isa_avx512bf16: return "avx512bf16";
    }
    return "unknown";
}

size_t quire_attention_scratch_count(size_t query_count, size_t group, size_t head_size) {
    size_t rows = query_count * group, padded = padded_head_size(head_size);
    return 2 * padded * CHUNK + rows * (CHUNK + padded + head_size + 2);
}
