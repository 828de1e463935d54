// sum = left + right; output = sum / sqrt(mean(sum²) + epsilon) * weight: the residual stream in one pass. The
// output is numbers, or their digits. An invocation has NUMBERS of a row.

layout(local_size_x = GROUP) in;

layout(set = 0, binding = 0) readonly buffer Left { float left[]; };
layout(set = 0, binding = 1) readonly buffer Right { float right[]; };
layout(set = 0, binding = 2) readonly buffer Weights { float weight[]; };
layout(set = 0, binding = 3) writeonly buffer Sum { float sum[]; };
#ifdef DIGITS
// Four side by side, of which a part of a record is made.
#define PLACE(own) ((own) / 4 * GROUP * 4 + gl_LocalInvocationIndex * 4 + (own) % 4)
#else
#define PLACE(own) ((own) * GROUP + gl_LocalInvocationIndex)
layout(set = 0, binding = 4) writeonly buffer Output { float result[]; };
#endif

layout(push_constant) uniform Constants {
    uint row_count;
    uint width;
    uint left_stride;
    uint left_column;
    uint right_stride;
    uint right_column;
    uint sum_stride;
    uint sum_column;
    uint output_stride;
    uint output_column;
    uint weight_offset;
    float epsilon;
};

void main() {
    uint row = gl_WorkGroupID.y;
    uint first = row * left_stride + left_column;
    uint second = row * right_stride + right_column;
    uint middle = row * sum_stride + sum_column;
    uint to = row * output_stride + output_column;
    float numbers[NUMBERS];
    float weights[NUMBERS];
    float squares = 0;
    [[unroll]] for (uint own = 0; own < NUMBERS; own++) {
        uint index = PLACE(own);
        numbers[own] = index < width ? left[first + index] + right[second + index] : 0.0;
        weights[own] = index < width ? weight[weight_offset + index] : 0.0;
        squares = fma(numbers[own], numbers[own], squares);
    }
    float factor = 1.0 / sqrt(group_sum(squares) / float(width) + epsilon);
    [[unroll]] for (uint own = 0; own < NUMBERS; own++) {
        uint index = PLACE(own);
        if (index < width) sum[middle + index] = numbers[own];
        numbers[own] = numbers[own] * factor * weights[own];
#ifndef DIGITS
        if (index < width) result[to + index] = numbers[own];
#endif
    }
#ifdef DIGITS
    [[unroll]] for (uint piece = 0; piece < NUMBERS; piece += 4) {
        uint slice = PLACE(piece) / SLICE;
        write_record(
            vec4(numbers[piece], numbers[piece + 1], numbers[piece + 2], numbers[piece + 3]),
            to + slice * RECORD * 4, slice * SLICE < width);
    }
#endif
}
