#include "rtld/binding/recall.hpp"

#include "loader/base/mem.hpp"
#include "loader/sys/log.hpp"
#include "rtld/binding/request.hpp"

namespace myld::binding {

using load::Module;

/// Says why the file is not used, or no longer, for LD_DEBUG=files.
bool Recall::refuse(const char* why, const char* what) {
  valid_ = false;
  if (!log::wants(log::kFiles)) return false;
  log::Line line;
  line << "binding file=" << file_.path() << "; not used: " << why;
  if (what != nullptr) line << ": " << what;
  return false;
}

bool Recall::begin(Runtime& r, const Policy& policy, const char* program, const char* key) {
  runtime_ = &r;
  bool found = each_directory(r, policy, [&](const char* directory) {
    if (!file_.open(r, directory, program, key)) {
      if (file_.refused != nullptr) refuse(file_.refused);
      return false;
    }
    const char* reason = distrust_content();
    if (reason == nullptr) reason = compare_request(program, key);
    if (reason != nullptr) return refuse(reason);
    return compare_stamps();
  });
  if (!found) {
    file_.close();
    return false;
  }
  const char* why = nullptr;
  if (!image_.begin(r, view_, why)) {
    if (why != nullptr) refuse(why);
    if (!has_all_slots()) {
      file_.close();
      return false;
    }
  }
  numbers_ = {r.first, r.program, r.loader.self};
  next_ = 0;
  valid_ = true;
  r.loader.searcher.memory = {&Recall::recall, nullptr, this};
  return true;
}

const char* Recall::distrust_content() {
  if (const char* reason = view_.read(file_.bytes(), arch::Port::kMachine)) return reason;
  bring_in(checked_part(view_.header(), file_.bytes()), runtime_->loader.page_size);
  if (!view_.is_whole(file_.bytes())) return "its checksum is another";
  BuildId own = build_id_of(runtime_->loader.self->image);
  return view_.header().loader == own && own.length != 0 ? nullptr : "another loader wrote it";
}

/// The slots that no start with the image reads.
bool Recall::has_all_slots() {
  bring_in(rest_part(view_.header(), file_.bytes()), runtime_->loader.page_size);
  return view_.is_rest_whole(file_.bytes()) || refuse("its checksum is another");
}

const char* Recall::compare_request(const char* program, const char* key) {
  const Header& h = view_.header();
  if (!equal(view_.string(h.key), key)) return "it is for another request";
  sys::Stat s;
  if (sys::stat(runtime_->direct ? program : "/proc/self/exe", &s) < 0 ||
      identity_of(s) != view_.modules()[0].file)
    return "the program has changed";
  if (h.directory != 0) {
    char here[4096];
    if (sys::getcwd(here, sizeof here) <= 0 || !equal(view_.string(h.directory), here))
      return "the working directory is another";
  }
  if (h.cpu != 0) {
    char* cpu = describe_cpu(*runtime_);
    bool same = cpu != nullptr && equal(view_.string(h.cpu), cpu);
    release_string(cpu);
    if (!same) return "the CPU is another";
  }
  return nullptr;
}

bool Recall::compare_stamps() {
  for (const StampRecord& stamp : view_.stamps()) {
    sys::Stat s;
    const char* path = view_.string(stamp.path);
    long e = sys::stat(path, &s);
    bool same = stamp.error != 0 ? e == -stamp.error : e >= 0 && identity_of(s) == stamp.file;
    if (!same) return refuse("this has changed", path);
  }
  return true;
}

/// The file was looked at when the image was mapped, by the path that the module has.
bool Recall::answer_from_image(const SearchRecord& s, find::Found& out) {
  const map::Placed* placed = image_.placed(s.module);
  if (placed == nullptr) return false;
  const ModuleRecord& m = view_.modules()[s.module];
  const char* path = view_.string(s.path);
  if (s.path != m.path && !equal(path, view_.string(m.path))) return false;
  out.path = copy_string(path);
  if (out.path == nullptr) return false;
  constexpr std::uint32_t kRegular = 0100000;
  out.fd = -1;
  out.stat.st_dev = m.file.device;
  out.stat.st_ino = m.file.inode;
  out.stat.st_mode = kRegular;
  out.stat.st_nlink = 1;
  out.stat.st_size = m.file.bytes;
  out.stat.st_mtime_s = m.file.content_s;
  out.stat.st_mtime_ns = m.file.content_ns;
  out.placed = placed;
  out.head_bytes = placed->head < sizeof out.head ? placed->head : sizeof out.head;
  memcpy(out.head, placed->start.as<const void>(), out.head_bytes);
  return true;
}

bool Recall::answer(const char* name,
                    find::Requester* requester,
                    find::Found& out,
                    Status& result) {
  if (!valid_) return false;
  if (next_ == view_.searches().size()) return refuse("a search that was not made", name);
  const SearchRecord& s = view_.searches()[next_++];
  const void* owner = requester == nullptr ? nullptr : requester->owner;
  if (owner == nullptr || numbers_.module(s.requester) != owner ||
      !equal(view_.string(s.name), name))
    return refuse("another search than the one that was made", name);
  if (s.path == 0) {
    result = Error{.code = Code::cannot_open, .sys_errno = sys::kEnoent, .object = name};
    return true;
  }
  const Module* of = s.of == kNone ? nullptr : numbers_.module(s.of);
  out.by = static_cast<find::By>(s.by);
  out.of = of == nullptr ? nullptr : &of->requester;
  if (answer_from_image(s, out)) return true;
  const char* path = view_.string(s.path);
  find::Searcher& searcher = runtime_->loader.searcher;
  result = searcher.open(path, out);
  if (!result) return refuse("this cannot be opened", path);
  if (identity_of(out.stat) != view_.modules()[s.module].file) {
    sys::close(out.fd);
    release_string(out.path);
    return refuse("this has changed", path);
  }
  out.placed = image_.placed(s.module);
  return true;
}

/// Whatever the image took for granted is not so: its pages are of no use.
Status Recall::leave_image() {
  for (Module* m : runtime_->first.modules)
    if (m->in_image) MYLD_CHECK(runtime_->loader.leave_image(*m));
  image_.leave(numbers_);
  return {};
}

bool Recall::loaded(Status& error) {
  if (runtime_ == nullptr) return false;
  runtime_->loader.searcher.memory = {};
  if (valid_ && next_ != view_.searches().size()) refuse("fewer searches than were made");
  if (valid_ && !compare_modules()) refuse("the modules are others");
  bool image = valid_ && image_.in_use() && image_.is_complete(numbers_);
  if (image_.in_use() && !image) {
    error = leave_image();
    valid_ = valid_ && has_all_slots();
  }
  if (!valid_) return false;
  if (log::wants(log::kFiles))
    log::line("binding file=", file_.path(), "; used for ", sys::Decimal{view_.modules().size()},
              " modules, ", sys::Decimal{view_.slots().size()}, " relocations",
              (image ? ", with its image" : ""));
  return true;
}

bool Recall::compare_modules() {
  std::span<const ModuleRecord> records = view_.modules();
  if (numbers_.count() != records.size()) return false;
  if (!modules_.reserve(records.size()) || !biases_.reserve(records.size() + 1)) return false;
  for (std::uint32_t i = 0; i < records.size(); ++i) {
    Module* m = numbers_.module(i);
    const ModuleRecord& record = records[i];
    // The program's file and the loader's build ID were compared before.
    bool same_file = i < 2 || m->file == load::FileId{record.file.device, record.file.inode};
    if (!same_file || build_id_of(m->image) != record.build_id) return false;
    modules_.push_reserved(m);
    biases_.push_reserved(m->image.bias.value);
  }
  biases_.push_reserved(0);  // of absolute values
  return true;
}

relocate::BoundSlots Recall::slots_of(const Module& m) const {
  std::uint32_t number = numbers_.of(&m);
  if (number >= view_.modules().size()) return {};
  const ModuleRecord& record = view_.modules()[number];
  const PlacementRecord* p = m.in_image ? image_.placement(number) : nullptr;
  return {p != nullptr ? view_.moving(*p) : view_.addresses(record), view_.others(record),
          modules_.span(), biases_.span()};
}

void Recall::remove() {
  if (runtime_ != nullptr && !file_.bytes().empty()) sys::unlink(file_.path());
}

Status Recall::end() {
  Status status = image_.end();
  valid_ = false;
  view_ = {};
  file_.close();
  return status;
}

}  // namespace myld::binding
