// Adds to two counters: choices of experts below device_count, and of others. One workgroup counts all rows.

layout(local_size_x = GROUP) in;

layout(set = 0, binding = ROUTES_BINDING) readonly buffer Routes { float routes[]; };
layout(set = 0, binding = COUNTERS_BINDING) buffer Counters { uint counters[]; };

shared uint on_device;

void main() {
    if (gl_LocalInvocationIndex == 0) on_device = 0;
    barrier();
    uint choices = row_count * choice_count;
    uint own = 0;
    for (uint index = gl_LocalInvocationIndex; index < choices; index += GROUP) {
        uint row = index / choice_count;
        uint expert = uint(routes[row * routes_stride + routes_offset + index % choice_count]);
        if (expert < device_count) own += 1;
    }
    atomicAdd(on_device, own);
    barrier();
    if (gl_LocalInvocationIndex == 0) {
        counters[0] += on_device;
        counters[1] += choices - on_device;
    }
}
