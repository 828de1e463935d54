// A scheduling policy for quire, in any language that can make a C shared library.
//
// A library exports one function, quire_plugin, that returns a table of functions, quire_policy. quire calls it once,
// and `create` once for each engine; then it asks for decisions. Every function may be NULL: the default decides then,
// and all defaults together are first come, first served. This policy admits the shortest prompt first:
//
//     static int32_t place(
//         void *state, const quire_request *request, uint64_t now_ns, quire_place *answer, quire_message *error) {
//         (void)state, (void)now_ns, (void)error;
//         answer->rank = (double)request->prompt_tokens;
//         return 0;
//     }
//     static const quire_policy policy = {
//         .abi = QUIRE_PLUGIN_ABI, .struct_size = sizeof(quire_policy), .name = "shortest_prompt", .place = place};
//     const quire_policy *quire_plugin(uint32_t abi) { return abi == QUIRE_PLUGIN_ABI ? &policy : 0; }
//
//   - All calls for one state come from one thread, one after another. States may run side by side.
//   - Pointers given to a call are valid until it returns. Texts are UTF-8, and end with a zero byte.
//   - Functions return 0, or another number for an error, and write a sentence about it into `error`. An error, an
//     answer out of range, and an answer that takes longer than scheduler.plugin_time_budget_ms cost that decision only:
//     the default decides, the failure is counted and logged, and a late answer is dropped.
//   - Events (arrived, admitted, progressed, ended) are delivered before the next decision, in order.
//   - `now_ns` and all other times are nanoseconds since the engine started. In `quire simulate` they are simulated.
//   - A library stays loaded until the process ends.
//
// A policy never sees memory of the model, and whatever it answers, requests keep finishing with the same tokens.
#ifndef QUIRE_PLUGIN_H
#define QUIRE_PLUGIN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The version of everything below. It changes only where old libraries can no longer be loaded. Otherwise new functions
// are added at the end of quire_policy, and new fields take the place of `reserved` ones.
#define QUIRE_PLUGIN_ABI 1

// A moment that never comes, such as the deadline of a request without one.
#define QUIRE_NEVER UINT64_MAX

// An error's text, written by a function that fails.
typedef struct quire_message {
    char text[256];  // one sentence, cut where it is too long
} quire_message;

// One entry of scheduler.plugin_options.
typedef struct quire_option {
    const char *key;
    const char *text;  // the value as written
    double number;     // the value where it is a number; else not a number (NaN)
} quire_option;

// A request at this moment.
typedef struct quire_request {
    uint64_t id;               // unique in one engine
    uint64_t arrival_ns;       // when it was submitted
    uint64_t deadline_ns;      // when the client needs an answer; QUIRE_NEVER where the client named no deadline
    int64_t priority;          // lower is more urgent
    const char *tenant;        // the user or team it belongs to, never NULL; empty where the client named none
    uint64_t tenant_length;    // bytes of `tenant`, without the zero at its end
    int64_t prompt_tokens;     // tokens of its prompt
    int64_t output_tokens;     // tokens produced so far
    int64_t output_limit;      // the greatest number of tokens that it may still produce
    int64_t computed_tokens;   // tokens whose keys and values are in the cache
    int64_t cached_tokens;     // tokens found in the prefix cache at its admission; see QUIRE_WANTS_CACHED_TOKENS
    int64_t preemptions;       // how often it was preempted
    int64_t blocks;            // blocks of the cache that it holds
    uint64_t reserved[3];      // 0
} quire_request;

// The queue in which a request waits, and its rank there.
typedef struct quire_place {
    int64_t line;  // the number of the queue
    double rank;   // finite; lower is nearer to the front of the queue, of two equal ranks the earlier arrival
} quire_place;

// A waiting request at or near the front of its queue.
typedef struct quire_candidate {
    quire_request request;
    quire_place place;
} quire_candidate;

// How busy the engine is.
typedef struct quire_load {
    int64_t running;             // requests that run
    int64_t waiting;             // requests that wait
    int64_t max_running;         // requests that may run at once
    int64_t token_budget;        // tokens of this step that are not spent yet
    int64_t max_batched_tokens;  // tokens of a whole step
    int64_t free_tokens;         // tokens that fit into the free blocks of the cache
    int64_t capacity_tokens;     // tokens that fit into all blocks of the cache
    uint64_t reserved[2];        // 0
} quire_load;

// A decision about the waiting requests.
enum {
    QUIRE_ADMIT = 0,   // request `id` runs as soon as there is room
    QUIRE_REJECT = 1,  // request `id` is refused; its client gets status 429 and `reason`
    QUIRE_LATER = 2    // no request is admitted in this step; overruled where nothing runs
};
typedef struct quire_decision {
    int32_t kind;          // QUIRE_ADMIT, QUIRE_REJECT or QUIRE_LATER
    int32_t reserved;      // 0
    uint64_t id;           // of a candidate
    quire_message reason;  // one sentence for the client; not empty for QUIRE_REJECT
} quire_decision;

// How a step's tokens are shared.
typedef struct quire_share {
    int64_t prompt_tokens;    // the greatest number of tokens that prompts take, 0 or more
    int64_t reserved_tokens;  // tokens that running requests leave to new ones, 0 or more
} quire_share;

// How long the two ways of preempting a request take.
typedef struct quire_costs {
    double recompute_seconds;  // computing its tokens again; NaN where that is not known yet
    double swap_seconds;       // moving its blocks out and in; NaN where that is not known yet
} quire_costs;

// Whether a victim's keys and values are dropped, swapped, or the cheaper of the two.
enum { QUIRE_RECOMPUTE = 0, QUIRE_SWAP = 1, QUIRE_CHEAPER = 2 };

// What one step did for one request.
typedef struct quire_progress {
    int64_t computed_tokens;    // tokens computed
    int64_t recomputed_tokens;  // those of them that had been computed before a preemption
    int64_t produced_tokens;    // tokens produced: 0 in the middle of a prompt, else usually 1
} quire_progress;

// Why a request ended.
enum {
    QUIRE_STOPPED = 0,    // an end token, a stop token or a stop string
    QUIRE_LENGTH = 1,     // it has the greatest number of tokens
    QUIRE_ABORTED = 2,    // the client went away
    QUIRE_FAILED = 3,     // the device failed
    QUIRE_REJECTED = 4    // the policy refused it
};

// What a policy needs to see; all 0 before `create`.
enum {
    // `decide` sees in `cached_tokens` what the prefix cache holds of each candidate now; looking that up takes time.
    QUIRE_WANTS_CACHED_TOKENS = 1
};
typedef struct quire_settings {
    uint32_t flags;        // QUIRE_WANTS_CACHED_TOKENS or 0
    uint32_t lookahead;    // requests of each queue that `decide` chooses from, at most 128; 0 counts as 1
    uint64_t reserved[3];  // 0
} quire_settings;

// The table that quire_plugin returns, valid until the process ends. Unknown fields must be 0.
typedef struct quire_policy {
    uint32_t abi;          // QUIRE_PLUGIN_ABI; always the first field
    uint32_t struct_size;  // sizeof(quire_policy)
    const char *name;      // its name in scheduler.policy: letters, digits, '_', '-' and '.'
    void *context;         // the library's own pointer, given to `create`

    // Makes the state of one engine; it may be left as NULL. This may take some seconds.
    int32_t (*create)(
        void *context, const quire_option *options, uint64_t count, quire_settings *settings, void **state,
        quire_message *error);
    // Called once for each state that was made, also for those that are NULL.
    void (*destroy)(void *state);

    // The queue and rank of a request; asked when it arrives and after each preemption.
    int32_t (*place)(
        void *state, const quire_request *request, uint64_t now_ns, quire_place *answer, quire_message *error);
    // The request to admit next; asked again after each admission and refusal. `count` is at least 1.
    int32_t (*decide)(
        void *state, const quire_candidate *candidates, uint64_t count, const quire_load *load, uint64_t now_ns,
        quire_decision *answer, quire_message *error);
    // How this step's tokens are shared; asked once a step.
    int32_t (*share)(
        void *state, const quire_load *load, uint64_t now_ns, quire_share *answer, quire_message *error);
    // The rank of each of `count` running requests as a victim: finite; the highest is preempted first.
    int32_t (*victim_ranks)(
        void *state, const quire_request *running, uint64_t count, uint64_t now_ns, double *ranks,
        quire_message *error);
    // Whether `victim` is preempted for a waiting request that finds no room: 0 or 1.
    int32_t (*preempts)(
        void *state, const quire_request *waiting, const quire_request *victim, uint64_t now_ns, int32_t *answer,
        quire_message *error);
    // How `victim` is preempted: QUIRE_RECOMPUTE, QUIRE_SWAP or QUIRE_CHEAPER.
    int32_t (*preemption_mode)(
        void *state, const quire_request *victim, const quire_costs *costs, uint64_t now_ns, int32_t *answer,
        quire_message *error);

    // A request has arrived; `place` follows.
    int32_t (*arrived)(void *state, const quire_request *request, uint64_t now_ns, quire_message *error);
    // A waiting request runs from now on.
    int32_t (*admitted)(void *state, const quire_request *request, uint64_t now_ns, quire_message *error);
    // A step brought a running request forward; `request` shows it after the step.
    int32_t (*progressed)(
        void *state, const quire_request *request, const quire_progress *progress, uint64_t now_ns,
        quire_message *error);
    // A request has ended, for a reason such as QUIRE_LENGTH.
    int32_t (*ended)(
        void *state, const quire_request *request, int32_t reason, uint64_t now_ns, quire_message *error);
} quire_policy;

// The one symbol of a plugin. `abi` is the version that the calling quire uses: a library that knows several versions
// may return the table of that one.
#if defined(_WIN32)
__declspec(dllexport)
#elif defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const quire_policy *quire_plugin(uint32_t abi);

#ifdef __cplusplus
}
#endif

#endif
