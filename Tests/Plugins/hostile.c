// A policy that does what no policy should; option `mode` says what. -D changes what the table says.
#define _POSIX_C_SOURCE 200809L
#include "quire_plugin.h"

#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef ABI
#define ABI QUIRE_PLUGIN_ABI
#endif
#ifndef NAME
#define NAME "hostile"
#endif
#ifndef SIZE
#define SIZE sizeof(quire_policy)
#endif
#ifndef SYMBOL
#define SYMBOL quire_plugin
#endif

// Mode `stuck` loops until a test sets this: quire sees a policy that never returns.
__attribute__((visibility("default"))) volatile int hostile_is_released = 0;

static int is(void *self, const char *mode) { return strcmp(self, mode) == 0; }

// What every decision does first; 0 goes on to an answer of its own.
static int32_t misbehave(void *self, quire_message *error) {
    if (is(self, "error")) {
        snprintf(error->text, sizeof error->text, "out of ideas");
        return 5;
    }
    if (is(self, "unterminated")) {
        memset(error->text, 'x', sizeof error->text);
        return 1;
    }
    if (is(self, "mute")) return 1;
    if (is(self, "sleep")) {
        struct timespec time = {.tv_nsec = 60 * 1000 * 1000};
        nanosleep(&time, NULL);
    }
    if (is(self, "stuck")) {
        while (!hostile_is_released) sched_yield();
    }
    return 0;
}

static int32_t create(
    void *context, const quire_option *options, uint64_t count, quire_settings *settings, void **state,
    quire_message *error) {
    (void)context;
    const char *mode = count == 1 && strcmp(options[0].key, "mode") == 0 ? options[0].text : "refuse";
    if (strcmp(mode, "refuse") == 0) {
        snprintf(error->text, sizeof error->text, "mode: expected one");
        return 1;
    }
    settings->lookahead = UINT32_MAX;
    settings->flags = strcmp(mode, "flags") == 0 ? 6 : QUIRE_WANTS_CACHED_TOKENS;
    *state = strdup(mode);
    return 0;
}

static int32_t place(
    void *self, const quire_request *request, uint64_t now, quire_place *answer, quire_message *error) {
    (void)request, (void)now;
    answer->rank = is(self, "infinite") ? INFINITY : is(self, "nan") ? NAN : -(double)request->arrival_ns;
    return misbehave(self, error);
}

static int32_t decide(
    void *self, const quire_candidate *candidates, uint64_t count, const quire_load *load, uint64_t now,
    quire_decision *answer, quire_message *error) {
    (void)load, (void)now;
    answer->kind = is(self, "kind") ? 77 : is(self, "silent_refusal") ? QUIRE_REJECT : QUIRE_ADMIT;
    answer->id = is(self, "unknown") ? UINT64_MAX : candidates[count - 1].request.id;
    // Without an answer of its own, the fields are what they were.
    if (is(self, "nothing")) answer->kind = -1;
    return misbehave(self, error);
}

static int32_t share(void *self, const quire_load *load, uint64_t now, quire_share *answer, quire_message *error) {
    (void)load, (void)now;
    int64_t tokens = is(self, "negative") ? INT64_MIN : 4096;
    answer->prompt_tokens = tokens;
    answer->reserved_tokens = is(self, "negative") ? tokens : 0;
    return misbehave(self, error);
}

static int32_t victim_ranks(
    void *self, const quire_request *running, uint64_t count, uint64_t now, double *ranks, quire_message *error) {
    (void)now;
    for (uint64_t i = 0; i < count; i++) ranks[i] = is(self, "nan") ? NAN : (double)running[i].output_tokens;
    return misbehave(self, error);
}

static int32_t preempts(
    void *self, const quire_request *waiting, const quire_request *victim, uint64_t now, int32_t *answer,
    quire_message *error) {
    (void)waiting, (void)victim, (void)now;
    *answer = is(self, "kind") ? 3 : 1;
    return misbehave(self, error);
}

static int32_t preemption_mode(
    void *self, const quire_request *victim, const quire_costs *costs, uint64_t now, int32_t *answer,
    quire_message *error) {
    (void)victim, (void)costs, (void)now;
    *answer = is(self, "kind") ? -9 : QUIRE_SWAP;
    return misbehave(self, error);
}

static int32_t handle_event(void *self, const quire_request *request, uint64_t now, quire_message *error) {
    (void)request, (void)now;
    return is(self, "deaf") ? 1 : misbehave(self, error);
}

static int32_t progressed(
    void *self, const quire_request *request, const quire_progress *progress, uint64_t now, quire_message *error) {
    (void)progress;
    return handle_event(self, request, now, error);
}

static int32_t ended(void *self, const quire_request *request, int32_t reason, uint64_t now, quire_message *error) {
    (void)reason;
    return handle_event(self, request, now, error);
}

static const quire_policy policy = {
    .abi = ABI,
    .struct_size = SIZE,
    .name = NAME,
    .create = create,
    .destroy = free,
    .place = place,
    .decide = decide,
    .share = share,
    .victim_ranks = victim_ranks,
    .preempts = preempts,
    .preemption_mode = preemption_mode,
    .arrived = handle_event,
    .admitted = handle_event,
    .progressed = progressed,
    .ended = ended,
};

#ifdef NO_TABLE
#define RESULT NULL
#else
#define RESULT &policy
#endif

const quire_policy *SYMBOL(uint32_t abi);
const quire_policy *SYMBOL(uint32_t abi) {
    (void)abi;
    (void)policy;
    return RESULT;
}
