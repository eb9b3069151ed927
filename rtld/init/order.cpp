#include "rtld/init/order.hpp"

namespace myld::init {
namespace {

struct Frame {
  Module* module;
  std::size_t next;  ///< index of the next child, first in `needed`, then in `bound_to`
};

Module* child(const Module& m, std::size_t i, bool with_bound) {
  if (i < m.needed.size()) return m.needed[i];
  i -= m.needed.size();
  return with_bound && i < m.bound_to.size() ? m.bound_to[i] : nullptr;
}

}  // namespace

bool dependencies_first(std::span<Module* const> list,
                        bool with_bound,
                        Vec<Module*>& out,
                        Module* last) {
  if (list.size() == 1) return out.push(list[0]);
  std::uint32_t waiting = load::next_mark(), visited = load::next_mark();
  for (Module* m : list) m->mark = waiting;
  if (last != nullptr) last->mark = visited;
  if (!out.reserve(out.size() + list.size())) return false;
  Vec<Frame> stack;
  // Twice through the list: the first time only to those that ask to be initialised first.
  for (std::size_t i = 2 * list.size(); i-- > 0;) {
    Module* root = list[i % list.size()];
    if (root->mark != waiting) continue;
    if (i >= list.size() && !root->image.has_flag_1(DF_1_INITFIRST)) continue;
    root->mark = visited;
    if (!stack.push({root, 0})) return false;
    while (!stack.empty()) {
      Frame& top = stack.back();
      Module* next = child(*top.module, top.next, with_bound);
      if (next == nullptr) {
        out.push_reserved(top.module);
        stack.pop();
        continue;
      }
      ++top.next;
      if (next->mark != waiting) continue;
      next->mark = visited;
      if (!stack.push({next, 0})) return false;
    }
  }
  if (last != nullptr) out.push_reserved(last);
  return true;
}

}  // namespace myld::init
