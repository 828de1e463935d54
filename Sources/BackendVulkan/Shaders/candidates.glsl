// The COUNT best of a workgroup's numbers: the largest, equal ones by id, NaN after all others.
//
// As in a radix sort, digits are counted from the highest on, but only where the last of the wanted lies; those from
// there on are collected, and each finds its place by comparing itself with the others. What is found does not depend
// on who comes first.

#define NOBODY 0xFFFFFFFFu
// A record: sum, sum at the temperature, how many were found, one unused word, their ids, their numbers.
#define RECORD (4 + 2 * COUNT)

layout(set = 0, binding = ROWS_BINDING) readonly buffer Rows { uvec2 rows[]; };   // Row, inverse temperature.
layout(set = 0, binding = RECORDS_BINDING) writeonly buffer Records { uint records[]; };

// Each invocation's numbers, as keys that rise with them, and their ids.
uint keys[ITEMS];
uint ids[ITEMS];

shared uint bins[256];
// Sums of sixteen.
shared uint blocks[16];
shared uint wanted, chosen_bin, is_found;
shared uint found_count;
shared uint loose_keys[COUNT];
shared uint loose_ids[COUNT];
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

// Into `best_keys` and `best_ids`, best first, as many as `found_count` says.
void find_best(uint lane) {
    uint key_mask = 0, key_prefix = 0;
    uint rank_mask = 0, rank_prefix = 0;
    if (lane == 0) {
        wanted = COUNT;
        found_count = 0;
    }
    // Four digits of the key, then three of the id, turned over so that low ones are better.
    for (uint digit = 0; digit < 7; digit++) {
        uint shift = digit < 4 ? 24 - digit * 8 : 16 - (digit - 4) * 8;
        for (uint bin = lane; bin < 256; bin += GROUP) bins[bin] = 0;
        barrier();
        for (uint item = 0; item < ITEMS; item++) {
            uint rank = ~ids[item];
            if (ids[item] != NOBODY && (keys[item] & key_mask) == key_prefix && (rank & rank_mask) == rank_prefix) {
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
            uint left = wanted;
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
            wanted = left;
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
        if (ids[item] == NOBODY) continue;
        uint key = keys[item] & key_mask;
        if (key < key_prefix || (key == key_prefix && (~ids[item] & rank_mask) < rank_prefix)) continue;
        uint place = atomicAdd(found_count, 1);
        loose_keys[place] = keys[item];
        loose_ids[place] = ids[item];
    }
    barrier();
    for (uint place = lane; place < found_count; place += GROUP) {
        uint better_count = 0;
        for (uint other = 0; other < found_count; other++) {
            bool is_better = loose_keys[other] > loose_keys[place]
                || (loose_keys[other] == loose_keys[place] && loose_ids[other] < loose_ids[place]);
            better_count += is_better ? 1u : 0u;
        }
        best_keys[better_count] = loose_keys[place];
        best_ids[better_count] = loose_ids[place];
    }
    barrier();
}

// What a number adds to a sum relative to the largest; 1 for equal ones, infinities too.
float weight_of(float number, float largest, float scale) {
    return number == largest ? 1.0 : exp((number - largest) * scale);
}

// Writes what was found, and the sums over the workgroup of each invocation's weights, as record `index`.
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
    for (uint place = lane; place < found_count; place += GROUP) {
        records[record + 4 + place] = best_ids[place];
        records[record + 4 + COUNT + place] = bits_of(best_keys[place]);
    }
}
