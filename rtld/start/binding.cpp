#include "rtld/start/binding.hpp"

#include "loader/base/mem.hpp"
#include "loader/sys/log.hpp"
#include "rtld/binding/request.hpp"

#include <new>

namespace myld::start {

using load::Module;

namespace {

/// Changes that are not older than the recorder asks for are then older than the search.
constexpr std::uint64_t kSettleNs = 50000000;

bool is_tool(const Runtime& r) {
  return r.options.mode == Mode::bind || r.options.mode == Mode::verify_binding;
}

}  // namespace

Binding::~Binding() {
  release_string(program_);
  release_string(key_);
  if (recorder_ != nullptr) {
    recorder_->~Recorder();
    heap::release(recorder_, sizeof *recorder_);
  }
}

void Binding::begin() {
  policy_ = binding::parse_policy(runtime_.options.binding);
  if ((!policy_.use && !is_tool(runtime_)) || !binding::may_take_part(runtime_)) return;
  bool may_write = policy_.automatic || is_tool(runtime_);
  if (may_write || binding::have_directory(runtime_, policy_)) recall_or_record();
}

/// A function of its own, since most starts need neither it nor its page of stack.
[[gnu::noinline]] void Binding::recall_or_record() {
  char path[4096];
  if (!binding::program_path(runtime_, path)) return;
  program_ = copy_string(path);
  key_ = binding::make_key(runtime_, path);
  if (program_ == nullptr || key_ == nullptr) return;
  if (!is_tool(runtime_)) {
    if (recall_.begin(runtime_, policy_, program_, key_) || !policy_.automatic) return;
  } else {
    std::uint32_t never = 0;
    sys::futex_wait_for(&never, never, kSettleNs);
  }
  void* memory = heap::allocate(sizeof(binding::Recorder));
  if (memory == nullptr) return;
  recorder_ = new (memory) binding::Recorder;
  recorder_->begin(runtime_);
}

bool Binding::loaded(StartErrors& errors) {
  if (watching()) {
    refused_ = recorder_->end();
    return false;
  }
  Status error{};
  if (recall_.loaded(error)) return true;
  if (!error) errors.fail(error.error());
  forget_stale();
  return false;
}

/// The next start writes a new one.
void Binding::forget_stale() {
  if (policy_.automatic) recall_.remove();
}

void Binding::relocated(std::span<Module* const> order, StartErrors& errors) {
  if (Status s = recall_.end(); !s) errors.fail(s.error());
  if (watching() && key_ != nullptr) write_recorded(order);
}

[[gnu::noinline]] void Binding::write_recorded(std::span<Module* const> order) {
  const char* why = refused_;
  char directory[4096], path[4096];
  binding::Bytes file;
  binding::Contents contents{runtime_, *recorder_, program_, key_};
  Status status{};
  if (why == nullptr) status = binding::make_file(contents, order, false, file);
  if (why == nullptr && status) {
    bool place = binding::writing_directory(runtime_, policy_, directory) &&
                 binding::file_path(directory, program_, key_, path);
    if (!place)
      why = "there is no directory for it";
    else
      status = binding::write_file(path, file.span(), false);
  }
  if (!log::wants(log::kFiles)) return;
  log::Line line;
  char text[512];
  if (!status) render(status.error(), text, sizeof text);
  if (why == nullptr && status)
    line << "binding file=" << path << "; written";
  else
    line << "binding file of " << program_ << "; not written: " << (why != nullptr ? why : text);
}

void Binding::finish(StartErrors& errors, std::span<Module* const> order) {
  Runtime& r = runtime_;
  auto fail = [&](const Error& e) {
    errors.warn(e);
    sys::exit(1);
  };
  if (!watching() || key_ == nullptr)
    fail({.code = Code::cannot_bind,
          .object = r.argv[0],
          .subject =
              "not in secure execution, and not with LD_AUDIT, LD_BIND_NOT, LD_DYNAMIC_WEAK, "
              "LD_PROFILE or LD_DEBUG"});
  if (refused_ != nullptr)
    fail({.code = Code::cannot_bind, .object = program_, .subject = refused_});
  binding::Contents contents{r, *recorder_, program_, key_};
  if (r.options.mode == Mode::verify_binding) verify(errors, contents, order);
  binding::Bytes file;
  char path[4096], image[4096];
  choose_paths(errors, path, image);
  if (r.options.image) contents.image = image;
  if (Status s = binding::make_file(contents, order, false, file); !s) fail(s.error());
  write(errors, path, file.span());
  if (!r.options.image) sys::unlink(image);  // of an earlier file
  sys::exit(0);
}

void Binding::choose_paths(StartErrors& errors, char (&path)[4096], char (&image)[4096]) {
  constexpr const char* kSuffix = ".image";
  char directory[4096];
  bool ok = binding::writing_directory(runtime_, policy_, directory) &&
            binding::file_path(directory, program_, key_, path);
  std::size_t n = ok ? strlen(path) : 0;
  if (!ok || n + strlen(kSuffix) >= sizeof image) {
    errors.warn({.code = Code::cannot_bind,
                 .object = program_,
                 .subject = "there is no directory for it (HOME is not set)"});
    sys::exit(1);
  }
  memcpy(image, path, n);
  memcpy(image + n, kSuffix, strlen(kSuffix) + 1);
}

void Binding::write(StartErrors& errors, const char* path, std::span<const std::uint8_t> file) {
  if (Status s = binding::write_file(path, file, true); !s) {
    errors.warn(s.error());
    sys::exit(1);
  }
  binding::View view;
  if (view.read(file, arch::Port::kMachine) != nullptr) __builtin_trap();
  sys::Text(1) << path << ": " << sys::Decimal{view.modules().size()} << " modules, "
               << sys::Decimal{view.slots().size()} << " relocations"
               << (view.header().image != 0 ? ", and an image" : "") << '\n';
}

void Binding::verify(StartErrors& errors,
                     binding::Contents& contents,
                     std::span<Module* const> order) {
  binding::View fresh, stored;
  binding::StoredFile file;
  bool found = binding::open_file(runtime_, policy_, program_, key_, file);
  const char* why = file.refused;
  if (found) {
    why = stored.read(file.bytes(), arch::Port::kMachine);
    if (why == nullptr && !(stored.is_whole(file.bytes()) && stored.is_rest_whole(file.bytes())))
      why = "its checksum is another";
  }
  if (!found || why != nullptr) {
    sys::Text(1) << program_ << ": " << (why == nullptr ? "there is no binding file" : file.path())
                 << (why == nullptr ? "" : ": ") << (why == nullptr ? "" : why) << '\n';
    sys::exit(1);
  }
  std::uint64_t different_pages = 0;
  contents.different_pages = &different_pages;
  if (stored.header().image != 0) contents.compared = &stored;
  binding::Bytes bytes;
  if (Status s = binding::make_file(contents, order, true, bytes); !s) {
    errors.warn(s.error());
    sys::exit(1);
  }
  if (fresh.read(bytes.span(), arch::Port::kMachine) != nullptr) __builtin_trap();
  std::uint64_t differences = compare_bindings(stored, fresh) + different_pages;
  if (different_pages != 0)
    sys::Text(1) << "image: " << sys::Decimal{different_pages}
                 << " pages are others, or all of it\n";
  {
    sys::Text out(1);
    out << file.path() << ": " << sys::Decimal{fresh.modules().size()} << " modules, "
        << sys::Decimal{fresh.slots().size()} << " relocations: ";
    if (differences == 0)
      out << "equal\n";
    else
      out << sys::Decimal{differences} << " differences\n";
  }
  sys::exit(differences == 0 ? 0 : 1);
}

}  // namespace myld::start
