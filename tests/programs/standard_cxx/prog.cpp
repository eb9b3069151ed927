#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <iomanip>
#include <iostream>
#include <locale>
#include <map>
#include <mutex>
#include <regex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

int main() {
  std::string line;
  std::map<std::string, int> words;
  std::regex word(R"((\w+)@(\w+\.\w+))");
  while (std::getline(std::cin, line))
    for (std::sregex_iterator it(line.begin(), line.end(), word), end; it != end; ++it)
      words[(*it)[2].str() + "/" + (*it)[1].str()]++;
  for (const auto& [name, count] : words)
    std::cout << std::setw(24) << name << ' ' << count << '\n';
  std::cout << std::hex << std::showbase << 255 << ' ' << std::dec << std::fixed
            << std::setprecision(3) << 3.14159 << ' ' << std::boolalpha << true << std::endl;

  std::mutex mutex;
  std::condition_variable ready;
  long sum = 0;
  int done = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; t++)
    threads.emplace_back([&, t] {
      std::ostringstream text;
      text << t;
      std::lock_guard lock(mutex);
      sum += std::stol(text.str());
      done++;
      ready.notify_one();
    });
  {
    std::unique_lock lock(mutex);
    ready.wait(lock, [&] { return done == 8; });
  }
  for (auto& thread : threads) thread.join();
  auto later = std::async(std::launch::async, [] { return std::string("from a future"); });
  std::once_flag once;
  for (int i = 0; i < 3; i++) std::call_once(once, [] { std::cout << "once\n"; });
  std::cout << sum << ' ' << later.get() << ' ' << std::locale("").name() << '\n';
  try {
    std::regex bad("(");
  } catch (const std::regex_error&) {
    std::cout << "a bad expression is refused\n";
  }
  std::cerr.flush();
}
