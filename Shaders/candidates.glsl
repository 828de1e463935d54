// The COUNT largest of a workgroup's numbers: equal ones by rising id, NaN after all others.
//
// A radix select: digits of eight bits are counted from the highest on, among the numbers that share the digits chosen
// so far, until a threshold is known that COUNT numbers reach. Those are collected, and each finds its rank by
// comparing itself with the others. The result does not depend on the order in which atomics arrive.

#define NO_ID 0xFFFFFFFFu
// A record: sum, sum at the temperature, number of candidates, one unused word, their ids, their logits.
#define RECORD (4 + 2 * COUNT)

layout(set = 0, binding = ROWS_BINDING) readonly buffer Rows { uvec2 rows[]; };   // Row, inverse temperature.
layout(set = 0, binding = RECORDS_BINDING) writeonly buffer Records { uint records[]; };

// Each invocation's numbers, as keys that rise with them, and their ids.
uint keys[ITEMS];
uint ids[ITEMS];

shared uint bins[256];
// Sums of sixteen bins.
shared uint blocks[16];
shared uint remaining, chosen_bin, is_found;
shared uint found_count;
shared uint unsorted_keys[COUNT];
shared uint unsorted_ids[COUNT];
shared uint best_keys[COUNT];
shared uint best_ids[COUNT];

uint key_of(uint bits) {
    uint magnitude = bits & 0x7FFFFFFFu;
    if (magnitude > 0x7F800000u) return 0;
    if (magnitude == 0) return 0x80000000u;
    return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

uint bits_of(uint key) { return (key & 0x80000000u) != 0 ? key & 0x7FFFFFFFu : ~key; }

float number_of(uint key) { return uintBitsToFloat(bits_of(key)); }

// Writes the `found_count` best into `best_keys` and `best_ids`, the best first.
void find_best(uint lane) {
    uint key_mask = 0, key_prefix = 0;
    uint rank_mask = 0, rank_prefix = 0;
    if (lane == 0) {
        remaining = COUNT;
        found_count = 0;
    }
    // Four digits of the key, then three of the inverted id, so that low ids are better.
    for (uint digit = 0; digit < 7; digit++) {
        uint shift = digit < 4 ? 24 - digit * 8 : 16 - (digit - 4) * 8;
        for (uint bin = lane; bin < 256; bin += GROUP) bins[bin] = 0;
        barrier();
        for (uint item = 0; item < ITEMS; item++) {
            uint rank = ~ids[item];
            if (ids[item] != NO_ID && (keys[item] & key_mask) == key_prefix && (rank & rank_mask) == rank_prefix) {
                atomicAdd(bins[((digit < 4 ? keys[item] : rank) >> shift) & 255u], 1);
            }
        }
        barrier();
        if (lane < 16) {
            uint sum = 0;
            for (uint bin = lane * 16; bin < lane * 16 + 16; bin++) sum += bins[bin];
            blocks[lane] = sum;
        }
        barrier();
        if (lane == 0) {
            uint left = remaining;
            uint block = 15;
            while (block > 0 && blocks[block] < left) {
                left -= blocks[block];
                block--;
            }
            uint bin = block * 16 + 15;
            while (bin > block * 16 && bins[bin] < left) {
                left -= bins[bin];
                bin--;
            }
            remaining = left;
            chosen_bin = bin;
            is_found = bins[bin] <= left ? 1u : 0u;
        }
        barrier();
        if (digit < 4) {
            key_mask |= 255u << shift;
            key_prefix |= chosen_bin << shift;
        } else {
            rank_mask |= 255u << shift;
            rank_prefix |= chosen_bin << shift;
        }
        if (is_found != 0) break;
    }
    for (uint item = 0; item < ITEMS; item++) {
        if (ids[item] == NO_ID) continue;
        uint key = keys[item] & key_mask;
        if (key < key_prefix || (key == key_prefix && (~ids[item] & rank_mask) < rank_prefix)) continue;
        uint slot = atomicAdd(found_count, 1);
        unsorted_keys[slot] = keys[item];
        unsorted_ids[slot] = ids[item];
    }
    barrier();
    for (uint slot = lane; slot < found_count; slot += GROUP) {
        uint better_count = 0;
        for (uint other = 0; other < found_count; other++) {
            bool is_better = unsorted_keys[other] > unsorted_keys[slot]
                || (unsorted_keys[other] == unsorted_keys[slot] && unsorted_ids[other] < unsorted_ids[slot]);
            better_count += is_better ? 1u : 0u;
        }
        best_keys[better_count] = unsorted_keys[slot];
        best_ids[better_count] = unsorted_ids[slot];
    }
    barrier();
}

// The weight of a number in a softmax relative to the largest; 1 for equal ones, infinities too.
float weight_of(float number, float largest, float scale) {
    return number == largest ? 1.0 : exp((number - largest) * scale);
}

// Writes the candidates, and the sums of all invocations' weights, as record `index`.
void write_record(uint index, uint lane, float sum, float tempered_sum) {
    sum = group_sum(sum);
    barrier();
    tempered_sum = group_sum(tempered_sum);
    uint record = index * RECORD;
    if (lane == 0) {
        records[record] = floatBitsToUint(sum);
        records[record + 1] = floatBitsToUint(tempered_sum);
        records[record + 2] = found_count;
    }
    for (uint slot = lane; slot < found_count; slot += GROUP) {
        records[record + 4 + slot] = best_ids[slot];
        records[record + 4 + COUNT + slot] = bits_of(best_keys[slot]);
    }
}
