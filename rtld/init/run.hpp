// Constructors and destructors.
#pragma once
#include "rtld/runtime.hpp"

namespace myld::init {

using load::Module;

/// Every function of the module's arrays is code of its own. Needs: the module is relocated.
/// Errors: bad_code_address, with the array's name and the pointer.
Status check_functions(const Module& module);

/// Runs the constructors of `order` (dependencies first): DT_INIT, then DT_INIT_ARRAY, each with
/// (argc, argv, envp). A module whose constructors another thread runs is waited for, unless that
/// thread waits for this one; one that runs in this thread is left alone (a constructor called
/// dlopen). Needs: no lock held. Gives: every module running or left to the thread that initialises
/// it.
void run_constructors(Runtime& runtime, std::span<Module* const> order, char** envp);

/// The program's DT_PREINIT_ARRAY.
void run_preinit(Runtime& runtime, Module& program);

/// Runs the destructors of `order`, each once: DT_FINI_ARRAY backwards, then DT_FINI. Needs: no
/// lock held.
void run_destructors(Runtime& runtime, std::span<Module* const> order);

/// At exit: every module of every namespace, dependents before what they need.
void run_all_destructors(Runtime& runtime);

/// In a forked child: constructors that other threads were running never end.
void forget_other_threads(Runtime& runtime);

}  // namespace myld::init
