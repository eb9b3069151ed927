#include "rtld/start/start_report.hpp"

#include "loader/base/mem.hpp"
#include "loader/find/timeline.hpp"
#include "rtld/start/json.hpp"
#include "rtld/start/references.hpp"

#include <new>

namespace myld::start {

/// The page, with a place for the data in it: rtld/start/page.html.
extern const char kPageBegin[];
extern const char kPageEnd[];

namespace {

using load::Module;
using sys::Text;
using timeline::Event;

alignas(Vec<Event>) constinit unsigned char g_memory[sizeof(Vec<Event>)] = {};

const char* path_of(const Runtime& r, const Module& m) {
  if (m.is_program && r.program_file != nullptr) return r.program_file;
  return m.path[0] != 0 ? m.path : m.display;
}

/// Chrome's trace format: complete events, microseconds with three digits behind the point.
void write_trace(Text& out, const Vec<Event>& events) {
  out << "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[";
  bool first = true;
  for (const Event& e : events) {
    out << (first ? "\n" : ",\n");
    first = false;
    auto microseconds = [&](std::uint64_t ns) {
      out << sys::Decimal{ns / 1000} << '.' << sys::Decimal{ns / 100 % 10}
          << sys::Decimal{ns / 10 % 10} << sys::Decimal{ns % 10};
    };
    Json json(out);
    json.open_object();
    json.string("name", e.name);
    json.string("cat", e.what);
    json.string("ph", "X");
    json.number("pid", static_cast<std::uint64_t>(sys::getpid()));
    json.number("tid", static_cast<std::uint64_t>(sys::gettid()));
    out << ",\"ts\":";
    microseconds(e.from);
    out << ",\"dur\":";
    microseconds(e.to - e.from);
    json.open_object("args");
    json.string("failure", e.failure);
    json.close_object();
    json.close_object();
  }
  out << "\n]}\n";
}

std::uint64_t time_of(const Vec<Event>& events, const char* what, const char* name) {
  std::uint64_t ns = 0;
  for (const Event& e : events)
    if (equal(e.what, what) && equal(e.name, name)) ns += e.to - e.from;
  return ns;
}

std::uint64_t count_relative(const elf::Image& image) {
  std::uint64_t n = image.relative_count;
  for (elf::Relr entry : image.relr)
    for (elf::Relr bits = (entry & 1) == 0 ? 1 : entry >> 1; bits != 0; bits &= bits - 1) ++n;
  return n;
}

void module_json(Json& json, const Runtime& r, const Vec<Event>& events, const Module& m) {
  const elf::Image& image = m.image;
  json.open_object();
  json.string("name", m.display);
  json.string("path", path_of(r, m));
  json.string("rule", m.is_program  ? "program"
                      : m.is_loader ? "loader"
                                    : find::text_of(m.found_by));
  json.open_list("needed");
  for (const Module* each : m.needed) json.string(nullptr, each->display);
  json.close_list();
  json.number("relative", count_relative(image));
  json.number("symbolic", image.rela.size() - image.relative_count);
  json.number("plt", image.jmprel.size());
  json.number("symbols", symbol_count(m));
  json.number("relocate_ns", time_of(events, "relocate", m.display));
  json.number("init_ns", time_of(events, "init", m.display));
  json.open_list("segments");
  for (const elf::Phdr& p : image.segments.phdrs) {
    if (p.p_type != PT_LOAD) continue;
    char flags[4] = {(p.p_flags & PF_R) != 0 ? 'r' : '-', (p.p_flags & PF_W) != 0 ? 'w' : '-',
                     (p.p_flags & PF_X) != 0 ? 'x' : '-', 0};
    json.open_object();
    json.address("start", (image.bias + LinkAddr{p.p_vaddr}).value);
    json.number("bytes", p.p_memsz);
    json.string("protection", flags);
    json.close_object();
  }
  json.close_list();
  json.close_object();
}

/// Definitions that an earlier module's definition of the same name and version stands before.
void interposed_json(Json& json, const Runtime& r, std::span<Module* const> closure) {
  constexpr std::uint64_t kMost = 1000;
  std::uint64_t left = kMost;
  json.open_list("interposed");
  for (const Module* m : closure)
    each_symbol(*m, [&](std::uint32_t index, const elf::Sym& s, const char* name) {
      if (is_reference(s) || left == 0) return;
      // A version that a file defines has a symbol of its own, which nobody is bound to.
      if (s.st_shndx == SHN_ABS && s.st_value == 0 && s.st_size == 0) return;
      if (elf::sym_visibility(s) != STV_DEFAULT) return;
      if (m->image.versym != nullptr && (m->image.versym[index] & elf::kVersionHidden) != 0) return;
      scope::Request request =
          scope::Request::of(name, scope::version_of(*m, index), scope::Purpose::call);
      scope::Definition d = scope::find_in_list(r.first.global.read(), request);
      if (!d || d.module == m) return;
      --left;
      json.open_object();
      json.string("symbol", name);
      json.string("by", d.module->display);
      json.string("of", m->display);
      json.close_object();
    });
  json.close_list();
}

void write_data(Text& out,
                const Runtime& r,
                const Vec<Event>& events,
                std::span<Module* const> closure) {
  Json json(out);
  json.open_object();
  json.string("program", path_of(r, *r.program));
  json.open_list("arguments");
  for (int i = 1; i < r.argc; ++i) json.string(nullptr, r.argv[i]);
  json.close_list();
  json.open_list("modules");
  for (const Module* m : closure) module_json(json, r, events, *m);
  json.close_list();
  std::uint64_t begin = UINT64_MAX;
  for (const Event& e : events)
    if (e.from < begin) begin = e.from;
  json.open_list("events");
  for (const Event& e : events) {
    json.open_object();
    json.string("what", e.what);
    json.string("name", e.name);
    json.number("from_ns", e.from - begin);
    json.number("ns", e.to - e.from);
    json.string("failure", e.failure);
    json.close_object();
  }
  json.close_list();
  interposed_json(json, r, closure);
  json.close_object();
}

template <class Write>
void write_file(const char* path, Write write) {
  if (path == nullptr) return;
  long fd = sys::create_file(path);
  if (fd < 0) {
    Text(2) << "myld: " << path << ": " << errno_text(static_cast<int>(-fd)) << '\n';
    return;
  }
  {
    Text out(static_cast<int>(fd));
    write(out);
  }
  sys::close(static_cast<int>(fd));
}

}  // namespace

void start_timeline() { timeline::g_events = new (g_memory) Vec<Event>; }

void write_start_reports(Runtime& r, std::span<Module* const> closure) {
  if (timeline::g_events == nullptr) return;
  const Vec<Event>& events = *timeline::g_events;
  timeline::g_events = nullptr;  // what the program opens later is not told
  write_file(r.options.trace_file, [&](Text& out) { write_trace(out, events); });
  write_file(r.options.report_file, [&](Text& out) {
    out << kPageBegin;
    write_data(out, r, events, closure);
    out << kPageEnd;
  });
}

}  // namespace myld::start
