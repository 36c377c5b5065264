// Which keys a job file may hold: one table for each kind of map. The parser checks files against them and the schema for
// editors is made from them, so a new key is one line here and one line where it is read. Constants; any thread.
// What a step does is in step_kinds.cpp.
#pragma once
#include "base/yaml_tree_reader.hpp"

namespace drover::job {

inline constexpr yaml::KeySpec kJobKeys[] = {
    {"version", true, "version", "The format of this file: 1."},
    {"name", false, "name", "What reports call the job; the file's name without one."},
    {"on", false, "phones", "The phones it is for, unless the command line says --on: a selector, or which of them."},
    {"vars", false, "vars", "Texts that {{ name }} stands for."},
    {"env", false, "environment",
     "Variables exported on the phone, or to the host's program, before each step that runs a command."},
    {"secrets", false, "secrets", "Values that are shown nowhere: each from an environment variable or a file."},
    {"timeout", false, "duration", "How long one phone may take for all steps together; `finally` has its own."},
    {"artifacts", false, "file",
     "A directory of this host for the outputs and files of all steps, unless the command line says --artifacts."},
    {"strategy", false, "strategy", "How many phones at once, in which batches, with which values."},
    {"steps", true, "steps", "What to do, in order."},
    {"finally", false, "steps",
     "What to do after that on every phone where something was begun, whatever became of it."},
    {"notify", false, "notifications", "Programs of this host that are told how the run ended, when all is done."},
};

inline constexpr yaml::KeySpec kNotifyKeys[] = {
    {"when", false, "notify-when", "always, failure (the exit code is not 0) or success; always when not given."},
    {"run", true, "notify-run",
     "The program and its arguments; DROVER_OK, DROVER_FAILED and the like say how it ended."},
    {"timeout", false, "duration", "How long it may take; 30s when not given."},
};

inline constexpr yaml::KeySpec kNotifyRunKeys[] = {
    {"shell", true, "shell", "A line for sh of this host, instead of a program."},
};

inline constexpr yaml::KeySpec kOnKeys[] = {
    {"select", false, "selector", "The phones to choose from; all of them when there is no `count`."},
    {"any", false, "selector", "The phones to choose from; one of them when there is no `count`."},
    {"count", false, "count", "How many: phones that run, and that no other run through the server holds."},
    {"wait", false, "duration", "How long to wait until there are so many; 1m when not given."},
};

inline constexpr yaml::KeySpec kStepKeys[] = {
    {"name", false, "name", "What reports call the step."},
    {"if", false, "condition",
     "Whether to do it; without success(), failure() or always() in it only while all went well."},
    {"timeout", false, "duration", "How long one attempt of this step may take on one phone."},
    {"retry", false, "retry", "To try again after a failure. This is consent to run the step more than once."},
    {"continue-on-error", false, "boolean", "Whether a failure of this step lets the phone go on with the next one."},
    {"ok-codes", false, "exit-codes", "The exit codes that are no failure; [0] when not given."},
    {"register", false, "variable", "Keeps stdout, stderr and exit code as outputs.NAME for later steps."},
    {"idempotent", false, "boolean", "Whether it may run again when drover ended in the middle of it and is resumed."},
    {"env", false, "environment",
     "As the job's, for this step: of run, host-run, instrument, wait-for, or all steps of a used file."},
    {"uses", false, "file", "Puts the steps of another job file here; its path is relative to this one."},
    {"with", false, "texts", "Goes with `uses`: values for vars of that file."},
};

inline constexpr yaml::KeySpec kRetryKeys[] = {
    {"max", true, "retries", "How many attempts after the first."},
    {"on", false, "causes", "Which failures: user, phone, link, host, infra, or timeout; all when not given."},
    {"backoff", false, "duration", "The wait before the first of them; it doubles each time. 1s when not given."},
};

inline constexpr yaml::KeySpec kSecretKeys[] = {
    {"env", false, "variable", "The environment variable that holds it."},
    {"file", false, "file", "The file that holds it, readable by its owner only; one line end at its end is dropped."},
};

inline constexpr yaml::KeySpec kStrategyKeys[] = {
    {"max-parallel", false, "count", "How many phones are at work at once; all when not given."},
    {"fail-fast", false, "boolean",
     "Whether the first failure stops everything else: other combinations, other phones."},
    {"sync", false, "sync", "`step`: no phone begins a step before all have ended the one before."},
    {"matrix", false, "matrix", "Lists of values: the steps run once on each phone for each combination."},
    {"rollout", false, "rollout", "Phones in batches, and how many may fail before the rest is left alone."},
    {"transfers", false, "transfers", "How many bulk transfers at once: push, pull, install."},
};

inline constexpr yaml::KeySpec kTransfersKeys[] = {
    {"per-host", false, "count", "Of all phones of this host together, other jobs' too; 8 when not given."},
    {"per-hub", false, "count", "Of the phones on one USB hub; 4 when not given."},
};

inline constexpr yaml::KeySpec kRolloutKeys[] = {
    {"serial", true, "shares", "How many phones each batch takes: numbers or percentages; the last one repeats."},
    {"max-fail", false, "share", "How many phones may fail; one more, and no further batch begins. 0 when not given."},
    {"max-lost", false, "share",
     "How many may be lost: absent, or failed for link, host or infra. Without it they count as failed."},
    {"pause", false, "duration", "The wait between two batches."},
};

}  // namespace drover::job
