// dlinfo(3).
#include "loader/base/mem.hpp"
#include "rtld/dlopen/dlfcn.hpp"
#include "rtld/dlopen/object_index.hpp"
#include "rtld/entry.hpp"

namespace myld::dlopen {
namespace {

// <dlfcn.h>
enum Request : int {
  kNamespace = 1,
  kLinkMap = 2,
  kSearchInfo = 4,
  kSearchInfoSize = 5,
  kOrigin = 6,
  kTlsModuleId = 9,
  kTlsData = 10,
  kProgramHeaders = 11,
};

struct SearchPath {
  char* dls_name;
  unsigned dls_flags;
};
struct SearchInfo {
  std::size_t dls_size;
  unsigned dls_cnt;
  SearchPath dls_serpath[1];
};
// <link.h> LA_SER_*
constexpr unsigned kFromLibPath = 2, kFromRunPath = 4, kFromDefault = 0x40;

/// Walks the directories that a search by `m` looks in, in order.
template <class Visit>
void each_directory(Runtime& runtime, Module& m, Visit visit) {
  find::Searcher& s = runtime.loader.searcher;
  if (m.requester.runpath == nullptr)
    for (find::Requester* r = &m.requester; r != nullptr; r = r->loader)
      for (find::Directory* d : s.rpath(*r)) visit(*d, kFromRunPath);
  for (find::Directory* d : s.library_path()) visit(*d, kFromLibPath);
  if (m.requester.runpath != nullptr)
    for (find::Directory* d : s.runpath(m.requester)) visit(*d, kFromRunPath);
  if (!m.requester.no_default_directories)
    for (find::Directory* d : s.default_directories()) visit(*d, kFromDefault);
}

/// dls_name has no trailing slash, but for the root.
std::size_t name_length(const find::Directory& d) {
  return d.length > 1 ? d.length - 1 : d.length == 0 ? 1 : 1;
}

void search_info(Runtime& runtime, Module& m, SearchInfo& out, bool only_size) {
  std::size_t count = 0, bytes = 0;
  each_directory(runtime, m, [&](const find::Directory& d, unsigned) {
    ++count;
    bytes += name_length(d) + 1;
  });
  std::size_t head = sizeof(SearchInfo) - sizeof(SearchPath) + count * sizeof(SearchPath);
  if (only_size) {
    out.dls_cnt = static_cast<unsigned>(count);
    out.dls_size = head + bytes;
    return;
  }
  char* text = reinterpret_cast<char*>(&out) + head;
  std::size_t i = 0;
  each_directory(runtime, m, [&](const find::Directory& d, unsigned flags) {
    std::size_t n = name_length(d);
    out.dls_serpath[i++] = {text, flags};
    memcpy(text, d.length == 0 ? "." : d.path, n);
    text[n] = 0;
    text += n + 1;
  });
}

Status answer(Runtime& runtime, Module& m, int request, void* argument, int& result) {
  result = 0;
  switch (request) {
  case kNamespace: *static_cast<long*>(argument) = m.ns->id; return {};
  case kLinkMap: *static_cast<void**>(argument) = m.link_map; return {};
  case kSearchInfo:
  case kSearchInfoSize: {
    LoadGuard guard(runtime);  // the lists are made when they are first asked for
    search_info(runtime, m, *static_cast<SearchInfo*>(argument), request == kSearchInfoSize);
    return {};
  }
  case kOrigin: {
    LoadGuard guard(runtime);  // as above
    const char* origin = find::origin_of(m.requester);
    if (origin == nullptr) origin = "";
    memcpy(argument, origin, strlen(origin) + 1);
    return {};
  }
  case kTlsModuleId: *static_cast<std::size_t*>(argument) = m.tls.module_id; return {};
  case kTlsData: *static_cast<void**>(argument) = tls::block_of(m.tls.module_id); return {};
  case kProgramHeaders:
    *static_cast<const elf::Phdr**>(argument) = m.headers;
    result = static_cast<int>(m.image.segments.phdrs.size());
    return {};
  default: return Error{.code = Code::invalid_request, .object = m.display};
  }
}

}  // namespace

int info(void* handle, int request, void* argument) {
  Runtime& runtime = the_runtime();
  clear_error();
  Module* m = nullptr;
  {
    ReadSection section;
    m = module_of_handle(handle);
  }
  if (m == nullptr) {
    set_error({.code = Code::invalid_handle,
               .object = runtime.program->display,
               .value = reinterpret_cast<std::uintptr_t>(handle)});
    return -1;
  }
  int result = 0;
  Status s = answer(runtime, *m, request, argument, result);
  if (!s) set_error(s.error());
  return s ? result : -1;
}

}  // namespace myld::dlopen
