// All or nothing: what a dlopen prepares, and what becomes of it.
#pragma once
#include "rtld/dlopen/object_index.hpp"
#include "rtld/dlopen/scopes.hpp"
#include "rtld/runtime.hpp"

namespace myld::dlopen {

/// Things that readers may still look at, released together after they are gone. Without memory to
/// note one it is left to the process.
class Retired {
public:
  void list(load::ModuleList* l) { add({Kind::list, l}); }
  void chain(load::ScopeChain* c) { add({Kind::chain, c}); }
  void index(ObjectIndex* i) { add({Kind::index, i}); }
  void handles(void* h) { add({Kind::handles, h}); }
  /// Waits for the readers, then releases. Needs: no lock that a reader could wait for.
  void release();

private:
  enum class Kind : std::uint8_t { list, chain, index, handles };
  struct Item {
    Kind kind;
    void* what;
  };
  void add(const Item& item);
  Vec<Item> items_;
};

/// Scope chains that are to take the place of their modules': all of them, or none.
class NewChains {
public:
  NewChains() = default;
  ~NewChains();
  NewChains(const NewChains&) = delete;
  NewChains& operator=(const NewChains&) = delete;

  /// Makes one for `module`, which has none here yet. False: no memory.
  bool add(Module& module, std::span<load::Scope* const> scopes);
  void publish(Retired& retired);

private:
  struct Item {
    Module* module;
    load::ScopeChain* chain;
  };
  Vec<Item> items_;
};

/// Collects new modules and new versions of shared lists. commit() publishes them and cannot fail;
/// without it the destructor takes everything back. Needs: the load lock for its whole life.
class Transaction {
public:
  Transaction(Runtime& runtime, load::Namespace& ns, bool is_new_namespace);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  Vec<Module*> created;  ///< in breadth-first order, the root first
  bool mapping = false;  ///< map_start was told, and not yet how that ended
  const bool is_new_namespace;

  load::Namespace& ns() { return ns_; }

  /// The same; the group goes again if this fails later. Errors: out_of_memory.
  Status make_group(Module& root);

  /// The global scope of a new namespace: what its first module brought.
  bool open_global_scope(Module& root);
  /// RTLD_GLOBAL: a longer global scope.
  bool prepare_promotion(Module& root);
  /// Modules of the group that were opened before may bind to the new group as well, lazily.
  bool extend_scopes(Module& root);
  bool prepare_index();

  void commit();

private:
  void roll_back();

  Runtime& runtime_;
  load::Namespace& ns_;
  bool committed_ = false;
  Module* promoted_ = nullptr;
  load::ModuleList* new_global_ = nullptr;
  Module* made_group_ = nullptr;  ///< an existing module that got a group
  NewChains new_chains_;
  ObjectIndex* new_index_ = nullptr;
  void* old_handles_ = nullptr;
};

/// A fresh namespace with the next free id, or nullptr.
load::Namespace* make_namespace(Runtime& runtime);
void remove_namespace(Runtime& runtime, load::Namespace& ns);

/// Takes back what a module counted on others: users of what it needs and is bound to.
void drop_uses(Module& module);

}  // namespace myld::dlopen
