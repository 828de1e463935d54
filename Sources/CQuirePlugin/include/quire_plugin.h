// A scheduling policy for quire, in any language that can make a C shared library.
//
// A library exports one function, quire_plugin, that returns a table of functions, quire_policy. quire calls it once,
// and `create` once for each engine; then it asks for decisions. Every function may be NULL: the
// default decides then, and all defaults together are first come, first served.
//
//   - All calls for one state come from one thread, one after another. States may run side by side.
//   - Pointers given to a call are valid until it returns. Texts are UTF-8, and end with a zero byte.
//   - Functions return 0, or another number for an error, and write what was wrong into `error`. An error, an answer
//     that makes no sense, and one that takes longer than scheduler.plugin_time_budget_ms cost that decision only: the
//     default decides, the failure is counted and logged, and an answer that comes late is thrown away.
//   - What happens (arrived, admitted, progressed, ended) is told before the next decision, in order.
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

// The version of everything below. It changes where an old library could not be served any more; else new functions are
// added at the end of quire_policy, and new fields in place of `reserved` ones.
#define QUIRE_PLUGIN_ABI 1

// A moment that there is not, such as the deadline of a request without one.
#define QUIRE_NEVER UINT64_MAX

// Written by a function that fails.
typedef struct quire_message {
    char text[256];  // one sentence, cut where it is too long
} quire_message;

// One entry of scheduler.plugin_options.
typedef struct quire_option {
    const char *key;
    const char *text;  // the value as written
    double number;     // the value where it is a number; else not a number (NaN)
} quire_option;

// A request as it is now.
typedef struct quire_request {
    uint64_t id;               // its name, unique in one engine
    uint64_t arrival_ns;       // when it was submitted
    uint64_t deadline_ns;      // when it should be served by; QUIRE_NEVER where the client did not say
    int64_t priority;          // lower is more urgent
    const char *tenant;        // whom it is for, never NULL; empty where the client named nobody
    uint64_t tenant_length;    // bytes of `tenant`, without the zero at its end
    int64_t prompt_tokens;     // tokens of its prompt
    int64_t output_tokens;     // tokens produced so far
    int64_t output_limit;      // tokens that it may still produce at most
    int64_t computed_tokens;   // tokens whose keys and values are in the cache
    int64_t cached_tokens;     // tokens found in the prefix cache at its admission; see QUIRE_WANTS_CACHED_TOKENS
    int64_t preemptions;       // how often it was preempted
    int64_t blocks;            // blocks of the cache that it holds
    uint64_t reserved[3];      // 0
} quire_request;

// Where a waiting request stands.
typedef struct quire_place {
    int64_t line;  // lines are told apart by number
    double rank;   // finite; lower is nearer to the front of its line, of two equal ranks the earlier arrival
} quire_place;

// A waiting request at or near the front of its line.
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
    int64_t free_tokens;         // tokens for which the cache has free blocks
    int64_t capacity_tokens;     // tokens for which the cache has blocks at all
    uint64_t reserved[2];        // 0
} quire_load;

// What becomes of the waiting requests.
enum {
    QUIRE_ADMIT = 0,   // request `id` runs as soon as there is room
    QUIRE_REJECT = 1,  // request `id` is refused; its client gets status 429 and `reason`
    QUIRE_LATER = 2    // nobody is admitted in this step; overruled where nothing runs
};
typedef struct quire_decision {
    int32_t kind;          // QUIRE_ADMIT, QUIRE_REJECT or QUIRE_LATER
    int32_t reserved;      // 0
    uint64_t id;           // of a candidate
    quire_message reason;  // one sentence for the client; not empty for QUIRE_REJECT
} quire_decision;

// How a step's tokens are shared.
typedef struct quire_share {
    int64_t prompt_tokens;    // tokens that prompts take at most, 0 or more
    int64_t reserved_tokens;  // tokens that running requests leave to new ones, 0 or more
} quire_share;

// What the two ways of preempting a request take.
typedef struct quire_costs {
    double recompute_seconds;  // computing its tokens again; not a number where that is not known yet
    double swap_seconds;       // moving its blocks out and in; not a number where that is not known yet
} quire_costs;

// What becomes of a victim's keys and values.
enum { QUIRE_RECOMPUTE = 0, QUIRE_SWAP = 1, QUIRE_CHEAPER = 2 };

// What one step did for one request.
typedef struct quire_progress {
    int64_t computed_tokens;    // tokens computed
    int64_t recomputed_tokens;  // those of them that had been computed before a preemption
    int64_t produced_tokens;    // tokens produced: 0 or 1
} quire_progress;

// Why a request ended.
enum {
    QUIRE_STOPPED = 0,    // a token or text that ends it came up
    QUIRE_LENGTH = 1,     // it reached its limit
    QUIRE_ABORTED = 2,    // the client went away
    QUIRE_FAILED = 3,     // the device failed
    QUIRE_REJECTED = 4    // the policy refused it
};

// What a policy wants to see; all 0 before `create`.
enum {
    // `decide` sees in `cached_tokens` what the prefix cache holds of each candidate now; looking that up takes time.
    QUIRE_WANTS_CACHED_TOKENS = 1
};
typedef struct quire_settings {
    uint32_t flags;        // QUIRE_WANTS_CACHED_TOKENS or 0
    uint32_t lookahead;    // requests of each line that `decide` chooses from, at most 128; 0 counts as 1
    uint64_t reserved[3];  // 0
} quire_settings;

// The table that quire_plugin returns, valid until the process ends. Unknown fields must be 0.
typedef struct quire_policy {
    uint32_t abi;          // QUIRE_PLUGIN_ABI; stays the first field for ever
    uint32_t struct_size;  // sizeof(quire_policy)
    const char *name;      // what scheduler.policy calls it: letters, digits, '_', '-' and '.'
    void *context;         // the library's own, given to `create`

    // Makes the state of one engine; it may be left as NULL. This may take some seconds.
    int32_t (*create)(
        void *context, const quire_option *options, uint64_t count, quire_settings *settings, void **state,
        quire_message *error);
    // Called once for each state that was made, those that are NULL as well.
    void (*destroy)(void *state);

    // Where a request waits; asked when it arrives and after each preemption.
    int32_t (*place)(
        void *state, const quire_request *request, uint64_t now_ns, quire_place *answer, quire_message *error);
    // Who is admitted next; asked again after each admission and refusal. `count` is at least 1.
    int32_t (*decide)(
        void *state, const quire_candidate *candidates, uint64_t count, const quire_load *load, uint64_t now_ns,
        quire_decision *answer, quire_message *error);
    // How this step's tokens are shared; asked once a step.
    int32_t (*share)(
        void *state, const quire_load *load, uint64_t now_ns, quire_share *answer, quire_message *error);
    // How readily each of `count` running requests gives its blocks back: a finite rank each, the highest goes first.
    int32_t (*victim_ranks)(
        void *state, const quire_request *running, uint64_t count, uint64_t now_ns, double *ranks,
        quire_message *error);
    // Whether a waiting request that finds no room takes that of `victim`: 0 or 1.
    int32_t (*preempts)(
        void *state, const quire_request *waiting, const quire_request *victim, uint64_t now_ns, int32_t *answer,
        quire_message *error);
    // What becomes of the keys and values of `victim`: QUIRE_RECOMPUTE, QUIRE_SWAP or QUIRE_CHEAPER.
    int32_t (*preemption_mode)(
        void *state, const quire_request *victim, const quire_costs *costs, uint64_t now_ns, int32_t *answer,
        quire_message *error);

    // A request has come in; `place` follows.
    int32_t (*arrived)(void *state, const quire_request *request, uint64_t now_ns, quire_message *error);
    // A waiting request runs from now on.
    int32_t (*admitted)(void *state, const quire_request *request, uint64_t now_ns, quire_message *error);
    // A step brought a running request forward, to what it is now.
    int32_t (*progressed)(
        void *state, const quire_request *request, const quire_progress *progress, uint64_t now_ns,
        quire_message *error);
    // A request has ended, for a reason such as QUIRE_LENGTH.
    int32_t (*ended)(
        void *state, const quire_request *request, int32_t reason, uint64_t now_ns, quire_message *error);
} quire_policy;

// The one symbol of a plugin. `abi` is the version that the calling quire speaks: a library that knows several may
// return the table of that one.
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
