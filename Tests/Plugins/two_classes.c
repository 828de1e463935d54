// `two_classes`: long prompts wait in a queue of their own, and get one admission in `share`.
//
//   cc -O2 -shared -fPIC -I Sources/CQuirePlugin/include -o libtwo_classes.so Tests/Plugins/two_classes.c
//
// Options: long_tokens, from how many tokens on a prompt is long (1024); share (4).
#include "quire_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHORT_QUEUE = 0, LONG_QUEUE = 1 };

typedef struct state {
    int64_t long_tokens;
    int64_t share;
    int64_t admissions;  // so far
} state;

static int32_t fail(quire_message *error, const char *key, const char *expected) {
    snprintf(error->text, sizeof error->text, "%s: expected %s", key, expected);
    return 1;
}

static int32_t create(
    void *context, const quire_option *options, uint64_t count, quire_settings *settings, void **result,
    quire_message *error) {
    (void)context, (void)settings;
    state made = {.long_tokens = 1024, .share = 4};
    for (uint64_t i = 0; i < count; i++) {
        const quire_option *option = &options[i];
        int64_t *field = strcmp(option->key, "long_tokens") == 0 ? &made.long_tokens
                         : strcmp(option->key, "share") == 0     ? &made.share
                                                                 : NULL;
        if (!field) return fail(error, option->key, "long_tokens or share");
        if (!(option->number >= 1 && option->number <= 1e9)) return fail(error, option->key, "a number from 1 to 1e9");
        *field = (int64_t)option->number;
    }
    state *kept = malloc(sizeof *kept);
    if (!kept) return fail(error, "create", "memory");
    *kept = made;
    *result = kept;
    return 0;
}

static int32_t place(
    void *self, const quire_request *request, uint64_t now_ns, quire_place *answer, quire_message *error) {
    (void)now_ns, (void)error;
    answer->line = request->prompt_tokens >= ((state *)self)->long_tokens ? LONG_QUEUE : SHORT_QUEUE;
    answer->rank = (double)request->arrival_ns;
    return 0;
}

static int32_t decide(
    void *self, const quire_candidate *candidates, uint64_t count, const quire_load *load, uint64_t now_ns,
    quire_decision *answer, quire_message *error) {
    (void)load, (void)now_ns, (void)error;
    state *policy = self;
    int64_t next = policy->admissions % policy->share == policy->share - 1 ? LONG_QUEUE : SHORT_QUEUE;
    // Lookahead is 1: there is one candidate for each queue that is not empty.
    uint64_t chosen = 0;
    for (uint64_t i = 0; i < count; i++) {
        if (candidates[i].place.line == next) chosen = i;
    }
    answer->kind = QUIRE_ADMIT;
    answer->id = candidates[chosen].request.id;
    return 0;
}

static int32_t admitted(void *self, const quire_request *request, uint64_t now_ns, quire_message *error) {
    (void)request, (void)now_ns, (void)error;
    ((state *)self)->admissions++;
    return 0;
}

static const quire_policy policy = {
    .abi = QUIRE_PLUGIN_ABI,
    .struct_size = sizeof(quire_policy),
    .name = "two_classes",
    .create = create,
    .destroy = free,
    .place = place,
    .decide = decide,
    .admitted = admitted,
};

const quire_policy *quire_plugin(uint32_t abi) {
    (void)abi;
    return &policy;
}
