// sum = left + right; output = sum / sqrt(mean(sum²) + epsilon) * weight: the residual stream in one pass. The
// output is floats or, with LIMBS, quantized activations.
//
// A piece is four numbers for each invocation. PARTS workgroups each read all PIECES_OF_ROW of a row, for the sum of
// squares, and each write some of them: writing takes longer than reading the row again.

#define OWN_PIECES ((PIECES_OF_ROW + PARTS - 1) / PARTS)

layout(local_size_x = GROUP) in;

layout(set = 0, binding = LEFT_BINDING) readonly buffer Left { float left[]; };
layout(set = 0, binding = RIGHT_BINDING) readonly buffer Right { float right[]; };
layout(set = 0, binding = WEIGHTS_BINDING) readonly buffer Weights { float weight[]; };
layout(set = 0, binding = SUM_BINDING) writeonly buffer Sum { float sum[]; };
#ifndef LIMBS
layout(set = 0, binding = OUTPUT_BINDING) writeonly buffer Output { float result[]; };
#endif

void main() {
    uint row = gl_WorkGroupID.y;
    uint first = row * left_stride + left_offset;
    uint second = row * right_stride + right_offset;
    uint middle = row * sum_stride + sum_offset;
    uint to = row * output_stride + output_offset;
    uint part = gl_WorkGroupID.x;
    uint lane = gl_LocalInvocationIndex * 4;
    vec4 numbers[OWN_PIECES];
    vec4 factors[OWN_PIECES];
    float squares = 0;
    [[unroll]] for (uint piece = 0; piece < PIECES_OF_ROW; piece++) {
        vec4 four = vec4(0);
        [[unroll]] for (uint index = 0; index < 4; index++) {
            uint column = piece * GROUP * 4 + lane + index;
            if (column < width) four[index] = left[first + column] + right[second + column];
            squares = fma(four[index], four[index], squares);
        }
        if (piece % PARTS == part) numbers[piece / PARTS] = four;
    }
    [[unroll]] for (uint own = 0; own < OWN_PIECES; own++) {
        factors[own] = vec4(0);
        [[unroll]] for (uint index = 0; index < 4; index++) {
            uint column = (own * PARTS + part) * GROUP * 4 + lane + index;
            if (column < width) factors[own][index] = weight[weight_offset + column];
        }
    }
    float factor = 1.0 / sqrt(group_sum(squares) / float(width) + epsilon);
    [[unroll]] for (uint own = 0; own < OWN_PIECES; own++) {
        uint column = (own * PARTS + part) * GROUP * 4 + lane;
        vec4 normed = numbers[own] * factor * factors[own];
        [[unroll]] for (uint index = 0; index < 4; index++) {
            if (column + index >= width) continue;
            sum[middle + column + index] = numbers[own][index];
#ifndef LIMBS
            result[to + column + index] = normed[index];
#endif
        }
#ifdef LIMBS
        uint slice = column / SLICE;
        write_record(normed, to + slice * RECORD * 4, slice * SLICE < width);
#endif
    }
}
