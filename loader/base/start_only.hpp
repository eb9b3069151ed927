// Data that is written while the process starts and never after.
#pragma once

/// Puts a global with the data that PT_GNU_RELRO makes read-only: start/main.cpp protects it before
/// any code of the program runs. A store after that ends the process, so that an overflow or a
/// stray pointer of the program cannot turn the tables that libc calls through.
#define MYLD_START_ONLY [[gnu::section(".data.rel.ro.start_only")]]
