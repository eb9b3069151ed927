#pragma once
// All of it is inline, so that every module has its own copy of the type information.
struct Base {
  explicit Base(int n) : number(n) {}
  virtual ~Base() {}
  virtual int virtual_number() const { return number; }
  int number;
};

struct Derived : Base {
  explicit Derived(int n) : Base(n) {}
  int virtual_number() const override { return number + 100; }
};
