#include "loader/load/module_list.hpp"

namespace myld::load {

ModuleList* make_list(std::span<Module* const> modules) {
  auto* list = static_cast<ModuleList*>(
      heap::allocate(sizeof(ModuleList) + modules.size() * sizeof(Module*)));
  if (list == nullptr) return nullptr;
  list->count = static_cast<std::uint32_t>(modules.size());
  constexpr std::uint64_t kTimes = 32;  // as a whole: before that no table can pay
  list->next_look = kTimes * modules.size();
  for (std::size_t i = 0; i < modules.size(); ++i) list->modules[i] = modules[i];
  return list;
}

void release_list(ModuleList* list) {
  if (list == nullptr) return;
  if (list->owns_names) heap::release(list->names, *static_cast<std::size_t*>(list->names));
  heap::release(list, sizeof(ModuleList) + list->count * sizeof(Module*));
}

std::uint32_t next_mark() {
  static constinit std::uint32_t last = 0;
  return ++last;
}

namespace {

/// Appends `m`, after those that it is a filter for: their symbols come before its own. `path` is
/// working memory. No recursion: filters may be chained as deep as a file likes.
bool append(Module* m, std::uint32_t mark, Vec<Module*>& path, Vec<Module*>& out) {
  if (m->mark == mark) return true;
  m->mark = mark;
  if (m->filtees.empty()) return out.push(m);
  m->counter = 0;  // how many of its filtees have been looked at
  if (!path.push(m)) return false;
  while (!path.empty()) {
    Module* top = path.back();
    if (top->counter == top->filtees.size()) {
      path.pop();
      if (!out.push(top)) return false;
      continue;
    }
    Module* filtee = top->filtees[top->counter++];
    if (filtee->mark == mark) continue;
    filtee->mark = mark;
    filtee->counter = 0;
    if (!path.push(filtee)) return false;
  }
  return true;
}

}  // namespace

bool breadth_first(Module& module, Vec<Module*>& out) {
  std::uint32_t mark = next_mark();
  Vec<Module*> path;
  std::size_t next = out.size();
  if (!append(&module, mark, path, out)) return false;
  for (; next < out.size(); ++next) {
    Module* m = out[next];  // by value: `needed` may move when `out` grows
    for (std::size_t i = 0; i < m->needed.size(); ++i)
      if (!append(m->needed[i], mark, path, out)) return false;
  }
  return true;
}

void interposers_first(std::span<Module*> list) {
  std::size_t front = 1;
  for (std::size_t i = 1; i < list.size(); ++i) {
    if (!list[i]->image.has_flag_1(DF_1_INTERPOSE)) continue;
    Module* m = list[i];
    for (std::size_t k = i; k > front; --k) list[k] = list[k - 1];
    list[front++] = m;
  }
}

void take_out(Namespace& ns, std::span<Module* const> going) {
  std::uint32_t mark = next_mark();
  std::size_t first = ns.modules.size();
  for (Module* m : going) {
    m->mark = mark;
    if (m->index < first) first = m->index;
  }
  std::size_t kept = first;
  for (std::size_t i = first; i < ns.modules.size(); ++i) {
    Module* m = ns.modules[i];
    if (m->mark == mark) continue;
    m->index = static_cast<std::uint32_t>(kept);
    ns.modules[kept++] = m;
  }
  ns.modules.truncate(kept);
  ns.modules.shrink();
}

}  // namespace myld::load
