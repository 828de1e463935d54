// Lists the pairs of a step, a row and one of its choices each, matrix by matrix, in tiles of TILE_ROWS pairs
// (`linear.glsl`, GROUPED): one workgroup. The order of the pairs of a matrix is open, and no result depends on it.

layout(local_size_x = GROUP) in;

layout(set = 0, binding = ROUTES_BINDING) readonly buffer Routes { float routes[]; };
layout(set = 0, binding = OUTPUT_BINDING) writeonly buffer Output { uint result[]; };

// The pairs of each matrix, later the position of its next one.
shared uint counts[EXPERTS];
// Pairs and tiles of the matrices of each invocation and of all before it.
shared uvec2 sums[GROUP];

// Matrices that an invocation adds up and lists.
#define OWN ((EXPERTS + GROUP - 1) / GROUP)

uint matrix_of(uint pair) { return uint(routes[pair / CHOICES * routes_stride + routes_offset + pair % CHOICES]); }

void main() {
    uint own = gl_LocalInvocationIndex;
    uint pair_count = row_count * CHOICES;
    for (uint index = own; index < EXPERTS; index += GROUP) counts[index] = 0;
    barrier();
    for (uint pair = own; pair < pair_count; pair += GROUP) atomicAdd(counts[matrix_of(pair)], 1);
    barrier();
    uint first = min(own * OWN, EXPERTS);
    uint last = min(first + OWN, EXPERTS);
    uvec2 sum = uvec2(0);
    for (uint index = first; index < last; index++) {
        sum += uvec2(counts[index], (counts[index] + TILE_ROWS - 1) / TILE_ROWS);
    }
    sums[own] = sum;
    barrier();
    uvec2 total = sum;
    for (uint step = 1; step < GROUP; step *= 2) {
        uvec2 before = own >= step ? sums[own - step] : uvec2(0);
        barrier();
        total += before;
        sums[own] = total;
        barrier();
    }
    if (own == GROUP - 1) result[0] = total.y;
    uvec2 next = total - sum;
    for (uint index = first; index < last; index++) {
        uint count = counts[index];
        for (uint start = 0; start < count; start += TILE_ROWS, next.y++) {
            result[next.y * 4 + 4] = index;
            result[next.y * 4 + 5] = next.x + start;
            result[next.y * 4 + 6] = min(count - start, TILE_ROWS);
        }
        counts[index] = next.x;
        next.x += count;
    }
    barrier();
    for (uint pair = own; pair < pair_count; pair += GROUP) {
        result[pairs_start + atomicAdd(counts[matrix_of(pair)], 1)] = pair;
    }
}
