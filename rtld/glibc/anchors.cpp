// What libc.so.6 itself says about its offsets.
//
// Sources: nptl_db/structs.def and nptl_db/db_info.c for the descriptors {size in bits, count,
// offset} and their names; disassembly of libc.so.6 of 2.36, 2.41 and 2.43 (x86_64, aarch64),
// of 2.36 (riscv64) for the code.

#include "rtld/glibc/anchors.hpp"

namespace myld::glibc {

namespace {

using Expected = Offset (*)(const Layout&);

/// A descriptor of libthread_db, and the member whose offset it must state.
struct Descriptor {
  const char* symbol;
  Expected expected;
};

constexpr Descriptor kDescriptors[] = {
    {"_thread_db_pthread_list", [](const Layout& l) { return l.pthread.list; }},
    {"_thread_db_pthread_tid", [](const Layout& l) { return l.pthread.tid; }},
    {"_thread_db_pthread_cancelhandling", [](const Layout& l) { return l.pthread.cancelhandling; }},
    {"_thread_db_pthread_specific", [](const Layout& l) { return l.pthread.specific; }},
    {"_thread_db_pthread_report_events", [](const Layout& l) { return l.pthread.report_events; }},
    {"_thread_db_pthread_schedparam_sched_priority",
     [](const Layout& l) { return l.pthread.schedparam_sched_priority; }},
    {"_thread_db_pthread_schedpolicy", [](const Layout& l) { return l.pthread.schedpolicy; }},
    {"_thread_db_pthread_start_routine", [](const Layout& l) { return l.pthread.start_routine; }},
    {"_thread_db_pthread_eventbuf", [](const Layout& l) { return l.pthread.eventbuf; }},
    {"_thread_db_pthread_nextevent", [](const Layout& l) { return l.pthread.nextevent; }},
    {"_thread_db_rtld_global__dl_tls_dtv_slotinfo_list",
     [](const Layout& l) { return l.rtld_global._dl_tls_dtv_slotinfo_list; }},
    {"_thread_db_rtld_global__dl_stack_used",
     [](const Layout& l) { return l.rtld_global._dl_stack_used; }},
    {"_thread_db_rtld_global__dl_stack_user",
     [](const Layout& l) { return l.rtld_global._dl_stack_user; }},
    {"_thread_db_link_map_l_tls_modid", [](const Layout& l) { return l.link_map.l_tls_modid; }},
    {"_thread_db_link_map_l_tls_offset", [](const Layout& l) { return l.link_map.l_tls_offset; }},
    // The same in every build: the formats of the DTV, of its slot lists and of list nodes.
    {"_thread_db_dtv_slotinfo_list_len", [](const Layout&) -> Offset { return 0; }},
    {"_thread_db_dtv_slotinfo_list_next", [](const Layout&) -> Offset { return 8; }},
    {"_thread_db_dtv_slotinfo_list_slotinfo", [](const Layout&) -> Offset { return 16; }},
    {"_thread_db_dtv_slotinfo_gen", [](const Layout&) -> Offset { return 0; }},
    {"_thread_db_dtv_slotinfo_map", [](const Layout&) -> Offset { return 8; }},
    {"_thread_db_dtv_t_counter", [](const Layout&) -> Offset { return 0; }},
    {"_thread_db_dtv_t_pointer_val", [](const Layout&) -> Offset { return 0; }},
    {"_thread_db_list_t_next", [](const Layout&) -> Offset { return 0; }},
    {"_thread_db_list_t_prev", [](const Layout&) -> Offset { return 8; }},
};

/// A function whose first access through its pointer to _rtld_global_ro is to this member.
constexpr Descriptor kFirstReads[] = {
    {"getpagesize", [](const Layout& l) { return l.rtld_global_ro._dl_pagesize; }},
    {"dladdr", [](const Layout& l) { return l.rtld_global_ro._dl_dlfcn_hook; }},
    {"dlclose", [](const Layout& l) { return l.rtld_global_ro._dl_dlfcn_hook; }},
    {"dlinfo", [](const Layout& l) { return l.rtld_global_ro._dl_dlfcn_hook; }},
    {"_dl_mcount_wrapper", [](const Layout& l) { return l.rtld_global_ro._dl_mcount; }},
    {"clock_gettime", [](const Layout& l) { return l.rtld_global_ro._dl_vdso_clock_gettime64; }},
    {"clock_getres", [](const Layout& l) { return l.rtld_global_ro._dl_vdso_clock_getres_time64; }},
};

/// A function that must have the member's offset in some instruction.
constexpr Descriptor kMentions[] = {
    {"__pthread_get_minstack",
     [](const Layout& l) { return l.rtld_global_ro._dl_tls_static_size; }},
    {"dl_iterate_phdr", [](const Layout& l) { return l.rtld_global_ro._dl_tls_get_addr_soft; }},
    {"dl_iterate_phdr", [](const Layout& l) { return l.link_map.l_phnum; }},
};

class Comparison {
public:
  Comparison(const LibcFacts& libc,
             const Known& known,
             const Layout& layout,
             bool strict,
             std::span<Mismatch> out)
      : libc_(libc), code_(*known.code), layout_(layout), strict_(strict), out_(out) {}

  std::size_t run() {
    for (const Descriptor& d : kDescriptors) {
      compare(d.symbol, word(d.symbol, 2), d.expected(layout_));
    }
    compare("_thread_db_sizeof_pthread", word("_thread_db_sizeof_pthread", 0),
            layout_.pthread.size);
    compare_error_interface();
    compare_code();
    return count_;
  }

private:
  std::span<const std::uint8_t> bytes(const char* symbol) const {
    std::uint64_t size = 0;
    const void* at = libc_.find(libc_.context, symbol, &size);
    if (at == nullptr) {
      return {};
    }
    return {static_cast<const std::uint8_t*>(at), static_cast<std::size_t>(size)};
  }

  /// The n-th 32-bit number of a data symbol. Absent if there is none, or it is out of an Offset's
  /// range.
  Offset word(const char* symbol, std::size_t n) const {
    const std::span<const std::uint8_t> b = bytes(symbol);
    if (b.size() < 4 * n + 4) {
      return kAbsent;
    }
    const std::uint8_t* at = &b[4 * n];
    return at[2] == 0 && at[3] == 0 ? static_cast<Offset>(at[0] | at[1] << 8) : kAbsent;
  }

  /// Up to 2.36 libc has its own state for errors raised inside the loader, and exports the
  /// functions.
  void compare_error_interface() {
    const bool imports = bytes("_dl_catch_exception").empty();
    if (imports != layout_.libc_imports_dl_signal) {
      mismatch("_dl_catch_exception defined by libc", !layout_.libc_imports_dl_signal, !imports);
    }
  }

  void compare_code() {
    // _dl_find_object (2.35 and later) is nothing but a jump through _rtld_global_ro; it names the
    // slot for the rest. 2.34 has getpagesize for that.
    const Offset find_object = layout_.rtld_global_ro._dl_find_object;
    const SlotRead first = code_.first_slot_read(bytes("_dl_find_object"), 0);
    if (first.found || strict_) {
      compare("_dl_find_object", first.found ? first.offset : kAbsent, find_object);
    }
    std::uintptr_t slot = first.slot;
    if (!first.found) {
      slot = code_.first_slot_read(bytes("getpagesize"), 0).slot;
    }
    bool hook_read = false;
    for (const Descriptor& d : kFirstReads) {
      const SlotRead read = slot == 0 ? SlotRead{} : code_.first_slot_read(bytes(d.symbol), slot);
      if (read.found) {
        hook_read |= d.expected(layout_) == layout_.rtld_global_ro._dl_dlfcn_hook;
        compare(d.symbol, read.offset, d.expected(layout_));
      }
    }
    if (!hook_read && strict_) {
      compare("dladdr, dlclose", kAbsent, layout_.rtld_global_ro._dl_dlfcn_hook);
    }
    for (const Descriptor& d : kMentions) {
      const std::span<const std::uint8_t> code = bytes(d.symbol);
      if (!code.empty() && code_.mentions(code, d.expected(layout_)) == Mention::no) {
        mismatch(d.symbol, d.expected(layout_), kAbsent);
      }
    }
  }

  void compare(const char* anchor, Offset found, Offset expected) {
    if (found != expected && (strict_ || found != kAbsent)) {
      mismatch(anchor, expected, found);
    }
  }

  void mismatch(const char* anchor, Offset expected, Offset found) {
    if (count_ < out_.size()) {
      out_[count_] = {anchor, expected, found};
    }
    ++count_;
  }

  const LibcFacts& libc_;
  const Code& code_;
  const Layout& layout_;
  bool strict_;
  std::span<Mismatch> out_;
  std::size_t count_ = 0;
};

}  // namespace

std::size_t compare_anchors(const LibcFacts& libc,
                            const Known& known,
                            const Layout& layout,
                            bool strict,
                            std::span<Mismatch> out) {
  return Comparison(libc, known, layout, strict, out).run();
}

}  // namespace myld::glibc
