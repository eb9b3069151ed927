#include "rtld/start/information.hpp"

#include "loader/base/mem.hpp"
#include "loader/sys/text.hpp"
#include "rtld/glibc/start.hpp"
#include "rtld/start/auditors.hpp"

namespace myld::start {
namespace {

using sys::Text;

// ---- --help ----------------------------------------------------------------------------------

void print_directories(Text& out, const find::DirectoryList& directories, const char* by) {
  for (const find::Directory* d : directories) {
    std::size_t n = d->length > 1 ? d->length - 1 : d->length;
    out << "  " << std::string_view(d->path, n) << " (" << by << ")\n";
  }
}

void print_search_path(Text& out, Runtime& r) {
  find::Searcher& s = r.loader.searcher;
  out << "\nShared library search path:\n";
  print_directories(out, s.library_path(), "LD_LIBRARY_PATH");
  if (!s.config.inhibit_cache) out << "  (libraries located via /etc/ld.so.cache)\n";
  print_directories(out, s.default_directories(), "system search path");
}

void print_hwcaps(Text& out, Runtime& r) {
  std::span<const char* const> known = glibc::known_hwcaps();
  std::span<const char* const> usable = glibc::usable_hwcaps(r);
  if (known.empty() && r.loader.searcher.config.hwcaps_prepend == nullptr) {
    out << "\nNo subdirectories of glibc-hwcaps directories are searched.\n";
    return;
  }
  out << "\nSubdirectories of glibc-hwcaps directories, in priority order:\n";
  std::span<const char* const> searched = r.loader.searcher.hwcaps();
  for (std::size_t i = 0; i < r.loader.searcher.prepended_hwcaps(); ++i)
    out << "  " << searched[i] << " (searched)\n";
  for (std::string_view name : known) {
    bool is_usable = false, is_searched = false;
    for (std::string_view each : usable) is_usable = is_usable || each == name;
    for (const char* each : searched) is_searched = is_searched || name == each;
    out << "  " << name;
    if (is_usable) out << (is_searched ? " (supported, searched)" : " (supported, masked)");
    out << '\n';
  }
}

void print_help(Runtime& r) {
  {
    Text out(1);
    out << "Usage: " << r.argv[0]
        << " [OPTION]... PROGRAM [ARGUMENT]...\n"
           "Run a dynamically linked program. myld is a dynamic loader: it takes the place of "
           "ld.so,\n"
           "here or as the interpreter that the program names.\n\n";
  }
  print_options();
  Text out(1);
  out << "\nThis program interpreter self-identifies as: " << arch::Port::kInterpreter << '\n';
  print_search_path(out, r);
  print_hwcaps(out, r);
}

// ---- --list-diagnostics ----------------------------------------------------------------------

void quote(Text& out, const char* text) {
  out << '"';
  for (; *text != 0; ++text) {
    auto c = static_cast<unsigned char>(*text);
    if (c == '"' || c == '\\') {
      out << '\\' << *text;
    } else if (c < ' ' || c > '~') {
      out << '\\' << static_cast<char>('0' + (c >> 6)) << static_cast<char>('0' + (c >> 3 & 7))
          << static_cast<char>('0' + (c & 7));
    } else {
      out << *text;
    }
  }
  out << '"';
}

void line(Text& out, const char* key, const char* value) {
  out << key << '=';
  quote(out, value);
  out << '\n';
}
void line(Text& out, const char* key, std::uint64_t value) {
  out << key << '=' << sys::Hex{value} << '\n';
}

/// Variables whose values are shown; of others only the name is, since people put secrets there.
/// A name that ends with '_' stands for all that begin with it.
constexpr char kShown[][20] = {
    "DATEMSK",
    "GCONV_PATH",
    "GETCONF_DIR",
    "GLIBC_TUNABLES",
    "HESIOD_CONFIG",
    "HES_DOMAIN",
    "HOSTALIASES",
    "I18NPATH",
    "IFS",
    "LANG",
    "LOCALDOMAIN",
    "LOCPATH",
    "MSGVERB",
    "NIS_DEFAULTS",
    "NIS_GROUP",
    "NIS_PATH",
    "NLSPATH",
    "PATH",
    "POSIXLY_CORRECT",
    "RESOLV_HOST_CONF",
    "RES_OPTIONS",
    "SEV_LEVEL",
    "TMPDIR",
    "TZ",
    "TZDIR",
    "LC_",
    "LD_",
    "MALLOC_",
    "MYLD_",
};

bool is_shown(std::string_view name) {
  for (std::string_view each : kShown)
    if (each == name || (each.back() == '_' && name.starts_with(each))) return true;
  return false;
}

void print_environment(Text& out, char** envp) {
  for (std::size_t i = 0; envp[i] != nullptr; ++i) {
    const char* equals = find_char(envp[i], '=');
    std::string_view name(envp[i], equals == nullptr ? strlen(envp[i])
                                                     : static_cast<std::size_t>(equals - envp[i]));
    bool shown = is_shown(name);
    out << (shown ? "env[" : "env_filtered[") << sys::Hex{i} << "]=";
    if (shown)
      quote(out, envp[i]);
    else
      out << '"' << name << '"';
    out << '\n';
  }
}

void print_auxv(Text& out, const sys::InitialStack& stack) {
  std::size_t i = 0;
  for (const sys::AuxEntry* a = stack.auxv; a->type != sys::kAtNull; ++a, ++i) {
    out << "auxv[" << sys::Hex{i} << "].a_type=" << sys::Hex{a->type} << "\nauxv[" << sys::Hex{i}
        << "].a_val=";
    if (a->type == sys::kAtExecfn || a->type == sys::kAtPlatform)
      quote(out, a->value == 0 ? "" : reinterpret_cast<const char*>(a->value));
    else
      out << sys::Hex{a->value};
    out << '\n';
  }
}

void print_uname(Text& out) {
  sys::SystemName name;
  if (sys::uname(&name) < 0) return;
  line(out, "uname.sysname", name.sysname);
  line(out, "uname.nodename", name.nodename);
  line(out, "uname.release", name.release);
  line(out, "uname.version", name.version);
  line(out, "uname.machine", name.machine);
  line(out, "uname.domainname", name.domainname);
}

void print_diagnostics(Runtime& r) {
  Text out(1);
  line(out, "dl_dst_lib", arch::Port::kLibDir);
  line(out, "dl_hwcap", glibc::print_cpu(r, nullptr).dl_hwcap);
  line(out, "dl_hwcap2", r.stack.get(sys::kAtHwcap2));
  out << "dl_hwcaps_subdirs=\"";
  const char* colon = "";
  for (std::string_view name : glibc::known_hwcaps()) {
    out << colon << name;
    colon = ":";
  }
  std::size_t known = glibc::known_hwcaps().size(), usable = glibc::usable_hwcaps(r).size();
  out << "\"\n";
  // A bit for each name, the first the lowest; what is usable is the end of the list.
  line(out, "dl_hwcaps_subdirs_active", ((std::uint64_t{1} << usable) - 1) << (known - usable));
  line(out, "dl_pagesize", r.loader.page_size);
  const find::CpuNames& cpu = r.loader.searcher.config.cpu;
  if (const char* platform = cpu.platform(cpu.context)) line(out, "dl_platform", platform);
  line(out, "dl_profile_output", profile_directory(r));
  line(out, "dso.ld", arch::Port::kLoaderSoname);
  line(out, "dso.libc", "libc.so.6");
  print_environment(out, r.envp);
  line(out, "path.prefix", "/usr");
  line(out, "path.rtld", arch::Port::kInterpreter);
  line(out, "path.sysconfdir", "/etc");
  std::size_t i = 0;
  for (const find::Directory* d : r.loader.searcher.default_directories()) {
    out << "path.system_dirs[" << sys::Hex{i++} << "]=";
    quote(out, d->path);
    out << '\n';
  }
  line(out, "version.release", "myld");
  line(out, "version.version", MYLD_VERSION);
  print_auxv(out, r.stack);
  print_uname(out);
  glibc::print_cpu(r, &out);
}

void print_version() {
  Text out(1);
  out << "myld " MYLD_VERSION "\n";
}

}  // namespace

void print_information(Runtime& runtime, Request request) {
  if (request == Request::tunables || request == Request::diagnostics)
    glibc::find_system_libc(runtime);  // without one the newest release is told of
  switch (request) {
  case Request::program: return;
  case Request::help: print_help(runtime); return;
  case Request::version: print_version(); return;
  case Request::tunables: glibc::print_tunables(runtime); return;
  case Request::diagnostics: print_diagnostics(runtime); return;
  }
}

}  // namespace myld::start
