// output = sum of weight * input over the choices of a route, the first one first.

layout(local_size_x = GROUP) in;

layout(set = 0, binding = ROUTES_BINDING) readonly buffer Routes { float routes[]; };
layout(set = 0, binding = INPUT_BINDING) readonly buffer Input { float source[]; };
layout(set = 0, binding = OUTPUT_BINDING) writeonly buffer Output { float result[]; };

void main() {
    uint column = gl_GlobalInvocationID.x;
    uint row = gl_WorkGroupID.y;
    if (column >= width) return;
    uint weights = row * routes_stride + routes_offset + choice_count;
    uint from = row * input_stride + input_offset + column;
    precise float sum = routes[weights] * source[from];
    for (uint choice = 1; choice < choice_count; choice++) {
        sum = fma(routes[weights + choice], source[from + choice * width], sum);
    }
    result[row * output_stride + output_offset + column] = sum;
}
