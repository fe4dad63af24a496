#include "carat/compiler/program/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "carat/compiler/codegen/cpu/generate.h"
#include "carat/compiler/program/walk.h"
#include "tests/compiler/model_graph.h"

namespace carat::compiler {
namespace {

Program ProgramOf(OptLevel level, const graph::Graph& graph = SmallGraph(),
                  std::string_view scheme = "q4_0") {
  return MakeProgram(RunPasses(graph, PassesOf(level, quantization::FindScheme(scheme))),
                     {level, 64});
}

// Two attentions and an MLP side by side: all read one normed value, none reads another's result.
graph::Graph ParallelGraph() {
  constexpr int64_t kHidden = 64;
  graph::Graph graph("parallel");
  const auto weight = [&](const std::string& name, int64_t rows, bool is_vector = false) {
    graph::Weight weight;
    weight.name = name;
    weight.parts = {{name + ".weight", rows, kHidden, is_vector}};
    return graph.AddWeight(weight);
  };
  const graph::WeightId table = weight("embed_tokens", 50);
  const graph::ValueId h = graph.Embed(graph.Tokens(), table, 1, "h");
  const graph::ValueId x = graph.RmsNorm(h, weight("norm", 1, true), 1e-6F, 1, 0, "x");
  std::vector<graph::ValueId> qkv;
  for (const char* name : {"q0", "k0", "v0", "q1", "k1", "v1"}) {
    qkv.push_back(graph.Linear(x, weight(name, kHidden), name));
  }
  const graph::ValueId gelu = graph.GeluTanh(x, "gelu");
  const graph::ValueId mlp = graph.Linear(gelu, weight("down", kHidden), "down");
  const auto attention = [&](int layer, const std::string& name) {
    const graph::Attention attributes{layer, 4, 4, kHidden / 4, 0.25F, 8, {}};
    const auto* inputs = &qkv[static_cast<size_t>(3 * layer)];
    return graph.Attention(inputs[0], inputs[1], inputs[2], attributes, name);
  };
  const graph::ValueId attention0 = attention(0, "attention0");
  const graph::ValueId attention1 = attention(1, "attention1");
  const graph::ValueId both = graph.Add(attention0, attention1, "both");
  const graph::ValueId sum = graph.Add(both, mlp, "sum");
  graph.output = graph.Linear(graph.SelectRows(sum, "selected"), table, "logits");
  return graph;
}

// Two threads in a step of one row or of two: who may touch what between two barriers. A race is a
// place that one writes while the other reads or writes it.
class RaceFinder {
 public:
  RaceFinder(Program program, int num_rows)
      : program_(std::move(program)), num_rows_(num_rows), replicates_(num_rows == 1) {}

  // The names of the buffers.
  std::set<std::string> Races() {
    for (Stage& stage : program_.stages) {
      if (stage.barrier_before == Barrier::kAlways ||
          (stage.barrier_before == Barrier::kUnlessReplicated && !replicates_)) {
        uses_.clear();
      }
      for (int thread = 0; thread < kNumThreads; ++thread) Run(stage, thread);
    }
    return races_;
  }

 private:
  static constexpr int kNumThreads = 2;
  static constexpr BufferId kCache = -2;

  struct Use {
    std::set<int> readers;
    std::set<int> writers;
  };

  void Run(Stage& stage, int thread) {
    const auto* loop = std::get_if<RowLoop>(&stage.work);
    ForEachAccess(stage, [&](const Access& access) {
      const bool gathers =
          loop != nullptr && std::holds_alternative<graph::SelectRows>(loop->ops[access.op].work);
      for (int row = 0; row < num_rows_; ++row) {
        if (loop == nullptr) {
          // Matrices and attention read all of their input, and write a part of every row.
          for (int part = 0; part < kNumThreads; ++part) {
            if (access.is_write && part != thread) continue;
            Touch(access.operand->buffer, row, part, thread, access.is_write);
          }
        } else if (Runs(*loop, row, thread) || (gathers && !access.is_write)) {
          for (int part = 0; part < kNumThreads; ++part) {
            Touch(access.operand->buffer, row, part, thread, access.is_write);
          }
        }
      }
    });
    for (int row = 0; row < num_rows_; ++row) {
      if (std::holds_alternative<Attend>(stage.work)) Touch(kCache, row, 0, thread, false);
      if (loop == nullptr || Owner(row) != thread) continue;
      for (const RowOp& op : loop->ops) {
        if (std::holds_alternative<StoreKv>(op.work)) Touch(kCache, row, 0, thread, true);
      }
    }
  }

  int Owner(int row) const { return replicates_ ? kNumThreads - 1 : row; }
  bool Runs(const RowLoop& loop, int row, int thread) const {
    return (loop.replicated && replicates_) || Owner(row) == thread;
  }

  void Touch(BufferId id, int row, int part, int thread, bool is_write) {
    int copy = 0;
    if (id != kCache) {
      const BufferScope scope = program_.buffers[id].scope;
      const bool is_private =
          scope == BufferScope::kRow || (scope == BufferScope::kReplicated && replicates_);
      if (is_private) copy = 1 + thread;
    }
    Use& use = uses_[{id, copy, row, part}];
    const auto another = [&](const std::set<int>& threads) { return threads.contains(1 - thread); };
    if (another(use.writers) || (is_write && another(use.readers))) {
      races_.insert(id == kCache ? "the cache" : program_.buffers[id].name);
    }
    (is_write ? use.writers : use.readers).insert(thread);
  }

  Program program_;
  int num_rows_;
  bool replicates_;
  std::map<std::tuple<BufferId, int, int, int>, Use> uses_;  // buffer, copy, row, part of the row
  std::set<std::string> races_;
};

void ExpectNoRaces(const Program& program) {
  for (const int num_rows : {1, 2}) {
    EXPECT_THAT(RaceFinder(program, num_rows).Races(), ::testing::IsEmpty())
        << num_rows << " rows\n"
        << Print(program);
  }
}

class ProgramTest : public ::testing::TestWithParam<OptLevel> {};

// One thread may still be in the stages since the last barrier that every step passes, while
// another is as far ahead as the next such barrier lets it be.
TEST_P(ProgramTest, BuffersThatThreadsMayUseAtTheSameTimeDoNotOverlap) {
  Program program = ProgramOf(GetParam());
  int num_phases = 1;
  for (const Stage& stage : program.stages) {
    num_phases += stage.barrier_before == Barrier::kAlways ? 1 : 0;
  }
  // A value is written anew in every layer, so a buffer's uses are not one interval: take each
  // phase and what is read later without being written again.
  std::vector<std::set<BufferId>> alive(num_phases);
  for (BufferId id = 0; id < static_cast<BufferId>(program.buffers.size()); ++id) {
    int current = 0;
    int written = -1;
    for (Stage& stage : program.stages) {
      if (stage.barrier_before == Barrier::kAlways) ++current;
      ForEachAccess(stage, [&](const Access& access) {
        if (access.operand->buffer != id) return;
        if (!access.is_write) {
          ASSERT_GE(written, 0) << program.buffers[id].name << " is read before it is written";
          for (int p = written; p <= current; ++p) alive[p].insert(id);
        } else {
          written = current;
          alive[current].insert(id);
        }
      });
    }
  }
  for (const std::set<BufferId>& together : alive) {
    for (BufferId a : together) {
      for (BufferId b : together) {
        const Buffer& x = program.buffers[a];
        const Buffer& y = program.buffers[b];
        if (a >= b || x.shared_offset < 0 || y.shared_offset < 0) continue;
        const bool apart = x.shared_offset + x.row_bytes * program.max_rows <= y.shared_offset ||
                           y.shared_offset + y.row_bytes * program.max_rows <= x.shared_offset;
        EXPECT_TRUE(apart) << x.name << " and " << y.name;
      }
    }
  }
}

TEST_P(ProgramTest, BuffersLieInsideTheirArenas) {
  const Program program = ProgramOf(GetParam());
  for (const Buffer& buffer : program.buffers) {
    if (buffer.shared_offset >= 0) {
      EXPECT_LE(buffer.shared_offset + buffer.row_bytes * program.max_rows, program.shared_bytes);
      EXPECT_EQ(buffer.shared_offset % 64, 0);
    }
    if (buffer.thread_offset >= 0) {
      EXPECT_LE(buffer.thread_offset + buffer.row_bytes, program.thread_bytes);
      EXPECT_EQ(buffer.thread_offset % 64, 0);
    }
  }
}

TEST_P(ProgramTest, ThreadsMeetBetweenWritingAndReading) {
  for (const char* scheme : {"q4_0", "q0f32"}) {
    ExpectNoRaces(ProgramOf(GetParam(), SmallGraph(), scheme));
  }
}

// The gelu overwrites x in place, which the matrices before it may still be reading; the second
// layer's keys are staged where the first layer's attention may still be reading its own.
TEST_P(ProgramTest, ThreadsMeetBetweenReadingAndOverwriting) {
  ExpectNoRaces(ProgramOf(GetParam(), ParallelGraph(), "q0f32"));
}

TEST_P(ProgramTest, KeysAndValuesAreStoredBeforeAttentionByABarrier) {
  const Program program = ProgramOf(GetParam());
  bool stored = false;
  int attended = 0;
  for (const Stage& stage : program.stages) {
    if (stage.barrier_before == Barrier::kAlways) stored = false;
    if (const auto* loop = std::get_if<RowLoop>(&stage.work)) {
      for (const RowOp& op : loop->ops) stored = stored || std::holds_alternative<StoreKv>(op.work);
    } else if (std::holds_alternative<Attend>(stage.work)) {
      EXPECT_FALSE(stored);
      ++attended;
    }
  }
  EXPECT_EQ(attended, 3);
}

INSTANTIATE_TEST_SUITE_P(Levels, ProgramTest,
                         ::testing::Values(OptLevel::kO0, OptLevel::kO1, OptLevel::kO2,
                                           OptLevel::kO3));

TEST(ProgramTest, HigherLevelsHaveFewerStagesAndBarriers) {
  const auto count_barriers = [](const Program& program) {
    int count = 0;
    for (const Stage& stage : program.stages) count += stage.barrier_before == Barrier::kAlways;
    return count;
  };
  const Program o0 = ProgramOf(OptLevel::kO0);
  const Program o2 = ProgramOf(OptLevel::kO2);
  const Program o3 = ProgramOf(OptLevel::kO3);
  EXPECT_LT(o2.stages.size(), o0.stages.size());
  EXPECT_LT(count_barriers(o3), count_barriers(o2));
  // A decoded token passes qkv, store, attention, o, gate_up and down in every layer.
  EXPECT_LE(count_barriers(o3), 6 * 3);
}

TEST(ProgramTest, LayersShareTheirBuffers) {
  const Program program = ProgramOf(OptLevel::kO2);
  int qkv = 0;
  for (const Buffer& buffer : program.buffers) {
    if (buffer.name.starts_with("q_k_v") && buffer.shared_offset >= 0) ++qkv;
  }
  EXPECT_EQ(qkv, 1);
}

TEST(ProgramTest, ACappedOutputStaysInTheCallersLogits) {
  model::ModelConfig config = SmallConfig();
  config.final_logit_softcapping = 30;
  const auto scheme = quantization::FindScheme("q4_0");
  Program program = MakeProgram(
      RunPasses(model::BuildGraph(config), PassesOf(OptLevel::kO3, scheme)), {OptLevel::kO3, 64});
  const auto& loop = std::get<RowLoop>(program.stages.back().work);
  EXPECT_FALSE(loop.replicated) << "one copy, so one thread a row";
  const Buffer& out = program.buffers[loop.ops.back().output.buffer];
  EXPECT_EQ(out.scope, BufferScope::kLogits);
}

TEST(ProgramTest, PrintsStagesBarriersAndBuffers) {
  const std::string text = Print(ProgramOf(OptLevel::kO3));
  for (const char* part : {"--- barrier\n", "matmul [n]  q_k_v <- ", "store_kv layer=1",
                           "attend  attention <- ", "buffers: "}) {
    EXPECT_THAT(text, ::testing::HasSubstr(part));
  }
}

}  // namespace
}  // namespace carat::compiler
