// SPDX-License-Identifier: Apache-2.0
//
// descriptor_exchange: what it costs to hand descriptors of packets from one core to another.
//
//   descriptor_exchange [ROUNDS]
//
// A producer on one core fills batches of a ring of eight, a consumer on another reads every byte
// of them; two counters on lines of their own say how many batches are full and free again. Three
// ways, in turns:
//
//   alone      one thread fills a batch of its ring, then reads it, while the other core is free
//   apart      two threads do that at the same time, each with a ring of its own
//   exchanged  one thread fills, the other reads
//
// `exchanged` minus `apart` is what the exchange costs, since the two cores may share more than one
// would think. All three once with nothing else to do, and once with a chain of multiplications per
// descriptor on either side, which is as long as a cheap stage of the engine takes and leaves the
// core room to wait for memory in the meantime. Exchanged also with software prefetch on both sides.
//
// A virtual machine's cores may be moved about by the host while all this runs, next to each other
// or far apart. So before each exchange a line is sent there and back, and what a run says is
// counted as `near` or `far` by that. Runs in which a side waited for one that was not running are
// known by the clock and left out.
//
// Prints nanoseconds per descriptor and side: of each run the median batch, then best and median of
// the runs. The consumer's sum is compared with the one that follows from the numbers.
//
// Deliberately without weir's code; a descriptor is a row of words.
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr size_t kLineSize = 64;
constexpr size_t kRingBatches = 8;
constexpr size_t kDescriptorCount = 1 << 16;  // of a run: shorter than a time slice
constexpr size_t kRunCount = 20;              // of a way in a round
// A run counts if the clock says no more than this multiple of what its busier side worked.
constexpr double kDisturbedRatio = 1.5;
constexpr double kFarNs = 150;  // there and back between cores that do not share a cache
constexpr size_t kPrefetchLines = 8;
constexpr uint64_t kPerDescriptor = 0x9e3779b97f4a7c15;
constexpr uint64_t kPerWord = 0xbf58476d1ce4e5b9;
constexpr int kSpinsBeforeYield = 4096;

[[noreturn]] void fail(const char* what) {
  fprintf(stderr, "descriptor_exchange: %s\n", what);
  exit(1);
}

int64_t now_ns() {
  using std::chrono::nanoseconds;
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<nanoseconds>(now).count();
}

// The first two cores this process may use.
std::array<int, 2> two_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) < 2)
    fail("needs two cores");
  std::array<int, 2> cores{};
  size_t found = 0;
  for (int core = 0; core < CPU_SETSIZE && found < cores.size(); ++core) {
    if (CPU_ISSET(core, &allowed)) cores[found++] = core;
  }
  return cores;
}

void pin_to(int core) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(core, &one);
  if (pthread_setaffinity_np(pthread_self(), sizeof one, &one) != 0) fail("cannot pin a thread");
}

template <typename Condition>
void wait_until(Condition is_true) {
  for (int spins = 0; !is_true(); ++spins) {
    if (spins > kSpinsBeforeYield) std::this_thread::yield();
#ifdef __x86_64__
    __builtin_ia32_pause();
#endif
  }
}

// Runs two functions at once, each on its core.
template <typename First, typename Second>
void run_both(First first, Second second) {
  static const std::array<int, 2> cores = two_cores();
  std::atomic<int> ready = 0;
  const auto start_together = [&ready](int core) {
    pin_to(core);
    ready.fetch_add(1);
    wait_until([&ready] { return ready.load() == 2; });
  };
  std::thread other([&] {
    start_together(cores[1]);
    second();
  });
  std::thread one([&] {
    start_together(cores[0]);
    first();
  });
  one.join();
  other.join();
}

template <size_t kSize>
struct Descriptor {
  static constexpr size_t kWordCount = kSize / sizeof(uint64_t);
  std::array<uint64_t, kWordCount> words;
};

// A chain that each descriptor continues.
template <size_t kWork>
uint64_t work(uint64_t chain, uint64_t word) {
  chain ^= word;
  for (size_t step = 0; step < kWork; ++step) chain = chain * kPerWord + 1;
  return chain;
}

// The words of all descriptors, summed up.
template <size_t kSize>
uint64_t expected_sum() {
  constexpr uint64_t kWords = Descriptor<kSize>::kWordCount;
  constexpr uint64_t kCount = kDescriptorCount;
  return kWords * kPerDescriptor * (kCount * (kCount - 1) / 2) +
         kCount * kPerWord * (kWords * (kWords - 1) / 2);
}

// What a side has done, and how long each of its batches took.
struct Side {
  uint64_t sum = 0;
  uint64_t chain = 0;
  std::vector<int64_t> batch_ns;

  // The median batch, per descriptor.
  double ns(size_t batch_size) {
    const auto middle = batch_ns.begin() + static_cast<ptrdiff_t>(batch_ns.size() / 2);
    std::nth_element(batch_ns.begin(), middle, batch_ns.end());
    return static_cast<double>(*middle) / static_cast<double>(batch_size);
  }
};

template <size_t kSize>
class Ring {
 public:
  using Item = Descriptor<kSize>;
  explicit Ring(size_t batch_size)
      : batch_size_(batch_size),
        memory_(static_cast<Item*>(::operator new (kRingBatches* batch_size * sizeof(Item),
                                                   std::align_val_t{kLineSize}))) {
    std::fill_n(memory_, kRingBatches * batch_size, Item{});
  }
  ~Ring() { ::operator delete (memory_, std::align_val_t{kLineSize}); }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  size_t batch_size() const { return batch_size_; }
  size_t batch_count() const { return kDescriptorCount / batch_size_; }
  Item* batch(size_t number) const { return memory_ + number % kRingBatches * batch_size_; }

 private:
  size_t batch_size_;
  Item* memory_;
};

// PREFETCHW where there is one: a plain prefetch for writing would fetch the line as shared.
void prefetch_for_write(void* memory) {
#ifdef __x86_64__
  asm volatile("prefetchw %0" : : "m"(*static_cast<char*>(memory)));
#else
  __builtin_prefetch(memory, 1);
#endif
}

// How many descriptors of that size are kPrefetchLines lines, at least one.
template <size_t kSize>
constexpr size_t kPrefetchItems = (kPrefetchLines * kLineSize + kSize - 1) / kSize;

template <size_t kSize, size_t kWork, bool kPrefetch>
[[gnu::noinline]] void fill_batch(const Ring<kSize>& ring, size_t number, Side& side) {
  Descriptor<kSize>* const items = ring.batch(number);
  const size_t count = ring.batch_size();
  uint64_t word = number * count * kPerDescriptor;
  uint64_t chain = side.chain;
  for (size_t at = 0; at < count; ++at, word += kPerDescriptor) {
    if constexpr (kPrefetch) {
      char* const ahead = static_cast<char*>(static_cast<void*>(items + at)) +
                          kPrefetchItems<kSize> * kSize;  // may be past the ring, which is harmless
      for (size_t offset = 0; offset < kSize; offset += kLineSize)
        prefetch_for_write(ahead + offset);
    }
    chain = work<kWork>(chain, word);
    for (size_t index = 0; index < items[at].words.size(); ++index)
      items[at].words[index] = word + index * kPerWord;
  }
  side.chain = chain;
}

template <size_t kSize, size_t kWork, bool kPrefetch>
[[gnu::noinline]] void read_batch(const Ring<kSize>& ring, size_t number, Side& side) {
  const Descriptor<kSize>* const items = ring.batch(number);
  const size_t count = ring.batch_size();
  uint64_t sum = 0;
  uint64_t chain = side.chain;
  for (size_t at = 0; at < count; ++at) {
    if constexpr (kPrefetch) {
      const char* const ahead = static_cast<const char*>(static_cast<const void*>(items + at)) +
                                kPrefetchItems<kSize> * kSize;
      for (size_t offset = 0; offset < kSize; offset += kLineSize)
        __builtin_prefetch(ahead + offset);
    }
    for (const uint64_t word : items[at].words) sum += word;
    chain = work<kWork>(chain, items[at].words[0]);
  }
  side.sum += sum;
  side.chain = chain;
}

template <typename Step>
void timed(Side& side, Step step) {
  const int64_t begin = now_ns();
  step();
  side.batch_ns.push_back(now_ns() - begin);
}

struct Sides {
  Side producer;
  Side consumer;

  void reserve(size_t batch_count) {
    producer.batch_ns.reserve(batch_count);
    consumer.batch_ns.reserve(batch_count);
  }
};

template <size_t kSize, size_t kWork>
void run_alone(const Ring<kSize>& ring, Sides& sides) {
  for (size_t number = 0; number < ring.batch_count(); ++number) {
    timed(sides.producer, [&] { fill_batch<kSize, kWork, false>(ring, number, sides.producer); });
    timed(sides.consumer, [&] { read_batch<kSize, kWork, false>(ring, number, sides.consumer); });
  }
}

// Batches filled and batches read, each written by one side only.
struct Progress {
  alignas(kLineSize) std::atomic<size_t> filled = 0;
  alignas(kLineSize) std::atomic<size_t> read = 0;
};

// Returns the time it took on the clock, per descriptor.
template <size_t kSize, size_t kWork, bool kPrefetch>
double exchange(const Ring<kSize>& ring, Sides& sides) {
  Progress progress;
  int64_t begin_ns = 0;
  int64_t end_ns = 0;
  run_both(
      [&] {
        begin_ns = now_ns();
        for (size_t number = 0; number < ring.batch_count(); ++number) {
          wait_until([&] {
            return number - progress.read.load(std::memory_order_acquire) < kRingBatches;
          });
          timed(sides.producer,
                [&] { fill_batch<kSize, kWork, kPrefetch>(ring, number, sides.producer); });
          progress.filled.store(number + 1, std::memory_order_release);
        }
      },
      [&] {
        for (size_t number = 0; number < ring.batch_count(); ++number) {
          wait_until([&] { return progress.filled.load(std::memory_order_acquire) > number; });
          timed(sides.consumer,
                [&] { read_batch<kSize, kWork, kPrefetch>(ring, number, sides.consumer); });
          progress.read.store(number + 1, std::memory_order_release);
        }
        end_ns = now_ns();
      });
  return static_cast<double>(end_ns - begin_ns) / kDescriptorCount;
}

// There and back of one line between the two cores, the fastest of many turns of a hundred.
double round_trip_ns() {
  constexpr uint32_t kTurns = 20;
  constexpr uint32_t kTrips = 100;
  alignas(kLineSize) std::atomic<uint32_t> ball = 0;
  int64_t best_ns = INT64_MAX;
  run_both(
      [&] {
        for (uint32_t turn = 0; turn < kTurns; ++turn) {
          const int64_t begin_ns = now_ns();
          for (uint32_t trip = turn * kTrips; trip < (turn + 1) * kTrips; ++trip) {
            ball.store(2 * trip + 1, std::memory_order_release);
            wait_until([&] { return ball.load(std::memory_order_acquire) == 2 * trip + 2; });
          }
          best_ns = std::min(best_ns, now_ns() - begin_ns);
        }
      },
      [&] {
        for (uint32_t trip = 0; trip < kTurns * kTrips; ++trip) {
          wait_until([&] { return ball.load(std::memory_order_acquire) == 2 * trip + 1; });
          ball.store(2 * trip + 2, std::memory_order_release);
        }
      });
  return static_cast<double>(best_ns) / kTrips;
}

// --- The table ---

class Samples {
 public:
  void add(double sample) { samples_.push_back(sample); }
  double best() const { return *std::min_element(samples_.begin(), samples_.end()); }
  double median() const {
    std::vector<double> sorted = samples_;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
  size_t count() const { return samples_.size(); }
  std::string text() const {
    if (samples_.empty()) return "-";
    std::array<char, 64> text{};
    snprintf(text.data(), text.size(), "%.1f (%.1f)", best(), median());
    return text.data();
  }

 private:
  std::vector<double> samples_;
};

// Of one way: the two sides.
struct Way {
  Samples fill;
  Samples read;

  void add(double fill_ns, double read_ns) {
    fill.add(fill_ns);
    read.add(read_ns);
  }
  std::string text() const { return fill.text() + " | " + read.text(); }
};

void check_sums(const Sides& sides, uint64_t expected) {
  if (sides.consumer.sum != expected) fail("the consumer read something else than was written");
  if (sides.consumer.chain != sides.producer.chain) fail("the two sides did other work");
}

class Row {
 public:
  virtual ~Row() = default;
  virtual void run() = 0;
  virtual void print() const = 0;
};

template <size_t kSize, size_t kWork>
class SizeRow : public Row {
 public:
  explicit SizeRow(size_t batch_size) : ring_(batch_size), other_ring_(batch_size) {}

  void run() override {
    for (size_t run = 0; run < kRunCount; ++run) {
      run_without_exchange();
      run_exchanged<false>();
      run_exchanged<true>();
    }
  }

  void print() const override {
    printf("| %zu | %zu | %s", kSize, ring_.batch_size(), kWork > 0 ? "yes" : "no");
    for (const Way* way : {&alone_, &apart_}) printf(" | %s", way->text().c_str());
    for (const Exchanged& at : {near_, far_}) {
      printf(" | %s | %s | %s of %zu", at.plain.text().c_str(), at.prefetched.text().c_str(),
             at.clock.text().c_str(), at.clock.count());
    }
    printf(" |\n");
  }

 private:
  struct Exchanged {
    Way plain;
    Way prefetched;
    Samples clock;  // per descriptor, both sides and all waiting, of `plain`
  };

  void run_without_exchange() {
    Sides alone = new_sides();
    Sides one = new_sides();
    Sides other = new_sides();
    run_alone<kSize, kWork>(ring_, alone);
    run_both([&] { run_alone<kSize, kWork>(ring_, one); },
             [&] { run_alone<kSize, kWork>(other_ring_, other); });
    add(alone_, alone);
    add(apart_, one);
    add(apart_, other);
  }

  template <bool kPrefetch>
  void run_exchanged() {
    Exchanged& at = round_trip_ns() < kFarNs ? near_ : far_;
    Sides sides = new_sides();
    const double clock_ns = exchange<kSize, kWork, kPrefetch>(ring_, sides);
    const size_t size = ring_.batch_size();
    const double busier_ns = std::max(sides.producer.ns(size), sides.consumer.ns(size));
    if (clock_ns > kDisturbedRatio * busier_ns) return;
    add(kPrefetch ? at.prefetched : at.plain, sides);
    if (!kPrefetch) at.clock.add(clock_ns);
  }

  Sides new_sides() const {
    Sides sides;
    sides.reserve(ring_.batch_count());
    return sides;
  }
  void add(Way& way, Sides& sides) {
    check_sums(sides, expected_sum<kSize>());
    const size_t size = ring_.batch_size();
    way.add(sides.producer.ns(size), sides.consumer.ns(size));
  }

  Ring<kSize> ring_;
  Ring<kSize> other_ring_;
  Way alone_;
  Way apart_;
  Exchanged near_;
  Exchanged far_;
};

template <size_t kSize>
void add_rows(std::vector<std::unique_ptr<Row>>& rows) {
  constexpr size_t kWork = 10;  // multiply and add: 4 cycles each
  for (const size_t batch_size : {size_t{256}, size_t{1024}}) {
    rows.push_back(std::make_unique<SizeRow<kSize, 0>>(batch_size));
    rows.push_back(std::make_unique<SizeRow<kSize, kWork>>(batch_size));
  }
}

}  // namespace

int main(int argument_count, char** arguments) {
  const unsigned long rounds = argument_count > 1 ? strtoul(arguments[1], nullptr, 10) : 15;
  if (argument_count > 2 || rounds == 0) {
    fprintf(stderr, "usage: descriptor_exchange [ROUNDS]\n");
    return 2;
  }
  std::vector<std::unique_ptr<Row>> rows;
  add_rows<32>(rows);
  add_rows<48>(rows);
  add_rows<64>(rows);
  add_rows<264>(rows);
  Samples round_trip;
  for (unsigned long round = 0; round < rounds; ++round) {
    round_trip.add(round_trip_ns());
    for (const std::unique_ptr<Row>& row : rows) row->run();
  }

  printf("a line there and back between the two cores: %s ns\n", round_trip.text().c_str());
  printf(
      "| bytes | batch | work | alone: fill | read | apart: fill | read "
      "| near: fill | read | prefetched: fill | read | clock of runs "
      "| far: fill | read | prefetched: fill | read | clock of runs |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (const std::unique_ptr<Row>& row : rows) row->print();
  return 0;
}
