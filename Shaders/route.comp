// Chooses experts for a row (`ExpertRouting`): a workgroup for each row. The number of experts that
// come before an expert is its choice.

layout(local_size_x = GROUP) in;

layout(set = 0, binding = LOGITS_BINDING) readonly buffer Logits { float logits[]; };
layout(set = 0, binding = VECTORS_BINDING) readonly buffer Vectors { float vectors[]; };
layout(set = 0, binding = OUTPUT_BINDING) writeonly buffer Output { float result[]; };

// Finite, as some compilers assume that no number is infinite.
#define LOWEST uintBitsToFloat(0xFF7FFFFFu)

#define SOFTMAX 0
#define SIGMOID 1
#define SPARSE_MIXER 2

shared float scores[EXPERTS];
// What experts are chosen by. Where nothing is added to scores these are logits, which are in the same order and differ
// more.
shared float ranks[EXPERTS];
#if GROUPS > 1
#define MEMBERS (EXPERTS / GROUPS)
shared float sums[GROUPS];
#endif
shared uint chosen[CHOICES];

float not_nan(float number) {
    return (floatBitsToUint(number) & 0x7FFFFFFFu) > 0x7F800000u ? LOWEST : number;
}

// How many of `ranks[first ..< first + count]` come before `index`: greater ones, and equal ones with a lower number.
uint count_before(uint index, uint first, uint count) {
    uint before = 0;
    for (uint other = first; other < first + count; other++) {
        if (ranks[other] > ranks[index] || (ranks[other] == ranks[index] && other < index)) before++;
    }
    return before;
}

void main() {
    uint from = gl_WorkGroupID.y * logits_stride + logits_offset;
    float largest = LOWEST;
    for (uint expert = 0; expert < EXPERTS; expert++) largest = max(largest, not_nan(logits[from + expert]));
    for (uint expert = gl_LocalInvocationIndex; expert < EXPERTS; expert += GROUP) {
        float logit = logits[from + expert];
#if SCORING == SIGMOID
        scores[expert] = 1.0 / (1.0 + exp(-logit));
#else
        scores[expert] = exp(logit - largest);
#endif
        if (has_bias == 0) ranks[expert] = not_nan(logit);
    }
    barrier();
#if SCORING == SOFTMAX
    float total = 0;
    for (uint expert = 0; expert < EXPERTS; expert++) total += scores[expert];
    barrier();
    for (uint expert = gl_LocalInvocationIndex; expert < EXPERTS; expert += GROUP) scores[expert] /= total;
#endif
    if (has_bias != 0) {
        for (uint expert = gl_LocalInvocationIndex; expert < EXPERTS; expert += GROUP) {
            ranks[expert] = not_nan(scores[expert] + vectors[bias_offset + expert]);
        }
    }
    barrier();
#if GROUPS > 1
    for (uint group = gl_LocalInvocationIndex; group < GROUPS; group += GROUP) {
        float sum = 0;
        for (uint score = 0; score < SCORE_COUNT; score++) {
            for (uint expert = group * MEMBERS; expert < (group + 1) * MEMBERS; expert++) {
                if (count_before(expert, group * MEMBERS, MEMBERS) != score) continue;
                float summand = has_bias != 0 || SCORE_COUNT == 1 ? ranks[expert] : scores[expert];
                sum = score == 0 ? summand : sum + summand;
            }
        }
        sums[group] = not_nan(sum);
    }
    barrier();
    // Whether each of this invocation's experts is in a chosen group, a bit each.
    uint open_groups = 0;
    for (uint expert = gl_LocalInvocationIndex, bit = 0; expert < EXPERTS; expert += GROUP, bit++) {
        uint group = expert / MEMBERS;
        uint before = 0;
        for (uint other = 0; other < GROUPS; other++) {
            if (sums[other] > sums[group] || (sums[other] == sums[group] && other < group)) before++;
        }
        if (before < CHOSEN_GROUPS) open_groups |= 1u << bit;
    }
#endif
    for (uint expert = gl_LocalInvocationIndex, bit = 0; expert < EXPERTS; expert += GROUP, bit++) {
#if GROUPS > 1
        if ((open_groups >> bit & 1u) == 0) continue;
        uint before = 0;
        for (uint group = 0; group < GROUPS; group++) {
            uint ahead = 0;
            for (uint other = 0; other < GROUPS; other++) {
                if (sums[other] > sums[group] || (sums[other] == sums[group] && other < group)) ahead++;
            }
            if (ahead < CHOSEN_GROUPS) before += count_before(expert, group * MEMBERS, MEMBERS);
        }
#else
        uint before = count_before(expert, 0, EXPERTS);
#endif
        if (before < CHOICES) chosen[before] = expert;
    }
    barrier();
#if SCORING == SPARSE_MIXER
    // An expert shares the softmax of a chosen one if it was not chosen before and is near enough.
    for (uint choice = gl_LocalInvocationIndex; choice < CHOICES; choice += GROUP) {
        float best = logits[from + chosen[choice]];
        float sum = 1;
        for (uint expert = 0; expert < EXPERTS; expert++) {
            bool is_open = true;
            for (uint other = 0; other <= choice; other++) is_open = is_open && chosen[other] != expert;
            float logit = logits[from + expert];
            if (is_open && best - logit <= jitter * max(abs(logit), best)) sum += exp(logit - best);
        }
        scores[chosen[choice]] = 1.0 / sum;
    }
    barrier();
#endif
    float sum = 0;
    for (uint choice = 0; choice < CHOICES; choice++) sum += scores[chosen[choice]];
    uint to = gl_WorkGroupID.y * output_stride + output_offset;
    for (uint choice = gl_LocalInvocationIndex; choice < CHOICES; choice += GROUP) {
        float weight = scores[chosen[choice]];
#if NORMALIZED
        weight /= max(sum, 1e-20);
#endif
        weight *= scale;
        if (has_factors != 0) weight *= vectors[factor_offset + chosen[choice]];
        result[to + choice] = float(chosen[choice]);
        result[to + CHOICES + choice] = weight;
    }
}
