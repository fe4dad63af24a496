#include "carat/compiler/codegen/webgpu/link_plan.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "carat/base/error.h"
#include "carat/compiler/codegen/webgpu/wasm_bytes.h"

namespace carat::compiler {
namespace {

constexpr std::array<uint8_t, 8> kModuleHeader = {0, 'a', 's', 'm', 1, 0, 0, 0};
constexpr uint64_t kPageBytes = 65536;
constexpr uint64_t kMaxPages = 65536;
// Addresses stay below 2 GiB, and the heap still fits behind the plan.
constexpr size_t kMaxPlanBytes = size_t{1} << 30;
constexpr std::string_view kPlanGlobal = "carat_plan";

enum class SectionId : uint8_t {
  kImport = 2,
  kMemory = 5,
  kGlobal = 6,
  kExport = 7,
  kData = 11,
  kDataCount = 12,
};

enum Opcode : uint8_t {
  kEnd = 0x0b,
  kI32Const = 0x41,
};

struct Section {
  SectionId id;
  std::span<const std::byte> content;
};

std::vector<Section> ReadSections(std::span<const std::byte> module) {
  WasmReader reader(module);
  for (const uint8_t expected : kModuleHeader) {
    if (reader.ReadByte() != expected) throw Error("these bytes are no WebAssembly module");
  }
  std::vector<Section> sections;
  while (!reader.AtEnd()) {
    const auto id = static_cast<SectionId>(reader.ReadByte());
    sections.push_back({id, reader.ReadBytes(reader.ReadUnsigned())});
  }
  return sections;
}

bool Has(const std::vector<Section>& sections, SectionId id) {
  return std::any_of(sections.begin(), sections.end(),
                     [&](const Section& section) { return section.id == id; });
}

WasmReader Find(const std::vector<Section>& sections, SectionId id, std::string_view name) {
  const auto found = std::find_if(sections.begin(), sections.end(),
                                  [&](const Section& section) { return section.id == id; });
  if (found == sections.end()) {
    throw Error("the WebAssembly module has no {} section: it is not Carat's runtime", name);
  }
  return WasmReader(found->content);
}

// Imports take indices before what the module defines. The runtime imports functions only, so that
// the indices of globals and memories start at 0.
void CheckImports(const std::vector<Section>& sections) {
  if (!Has(sections, SectionId::kImport)) return;
  WasmReader imports = Find(sections, SectionId::kImport, "import");
  for (uint32_t left = imports.ReadUnsigned(); left > 0; --left) {
    imports.ReadName();
    imports.ReadName();
    if (imports.ReadByte() != 0) {
      throw Error("the WebAssembly module imports more than functions: it is not Carat's runtime");
    }
    imports.ReadUnsigned();
  }
}

uint32_t PlanGlobalIndex(const std::vector<Section>& sections) {
  constexpr uint8_t kGlobalKind = 3;
  WasmReader exports = Find(sections, SectionId::kExport, "export");
  for (uint32_t left = exports.ReadUnsigned(); left > 0; --left) {
    const std::string_view name = exports.ReadName();
    const uint8_t kind = exports.ReadByte();
    const uint32_t index = exports.ReadUnsigned();
    if (name == kPlanGlobal && kind == kGlobalKind) return index;
  }
  throw Error("the WebAssembly module does not export '{}': it is not Carat's runtime",
              kPlanGlobal);
}

// The value of global `index`, which is the address of what it exports. wasm-ld's globals are
// addresses all: constants of 32 bits.
uint32_t GlobalValue(const std::vector<Section>& sections, uint32_t index) {
  constexpr uint8_t kI32 = 0x7f;
  WasmReader globals = Find(sections, SectionId::kGlobal, "global");
  const uint32_t count = globals.ReadUnsigned();
  for (uint32_t i = 0; i < count; ++i) {
    const uint8_t type = globals.ReadByte();
    globals.ReadByte();  // mutable or not
    const uint8_t opcode = globals.ReadByte();
    const auto value = static_cast<uint32_t>(globals.ReadSigned());
    if (type != kI32 || opcode != kI32Const || globals.ReadByte() != kEnd) {
      throw Error("global {} of the WebAssembly module is no number of 32 bits", i);
    }
    if (i == index) return value;
  }
  throw Error("the WebAssembly module exports global {} and has {}", index, count);
}

struct Memory {
  uint64_t pages;
  std::vector<std::byte> section;  // with room for the plan
};

Memory GrowMemory(const std::vector<Section>& sections, size_t plan_bytes) {
  WasmReader memories = Find(sections, SectionId::kMemory, "memory");
  if (memories.ReadUnsigned() != 1) throw Error("the WebAssembly module must have one memory");
  const uint8_t flags = memories.ReadByte();
  if (flags > 1) throw Error("the WebAssembly module's memory is shared or has 64-bit addresses");
  const uint64_t pages = memories.ReadUnsigned();
  const uint64_t most = flags == 1 ? memories.ReadUnsigned() : kMaxPages;
  const uint64_t wanted = pages + (plan_bytes + kPageBytes - 1) / kPageBytes;
  if (wanted > std::min(most, kMaxPages)) {
    throw Error("the plan of {} bytes does not fit into the WebAssembly module's memory",
                plan_bytes);
  }
  WasmWriter section;
  section.Unsigned(1);
  section.Byte(flags);
  section.Unsigned(static_cast<uint32_t>(wanted));
  if (flags == 1) section.Unsigned(static_cast<uint32_t>(most));
  return {pages, section.Take()};
}

void WriteSegment(uint32_t address, std::span<const std::byte> bytes, WasmWriter& out) {
  out.Byte(0);  // active, in memory 0
  out.Byte(kI32Const);
  out.Signed(static_cast<int32_t>(address));
  out.Byte(kEnd);
  out.Unsigned(static_cast<uint32_t>(bytes.size()));
  out.Bytes(bytes);
}

std::array<std::byte, 8> LittleEndianWords(uint32_t first, uint32_t second) {
  std::array<std::byte, 8> bytes;
  for (int i = 0; i < 4; ++i) {
    bytes[i] = static_cast<std::byte>(first >> (8 * i));
    bytes[4 + i] = static_cast<std::byte>(second >> (8 * i));
  }
  return bytes;
}

}  // namespace

std::vector<std::byte> LinkPlan(std::span<const std::byte> module,
                                std::span<const std::byte> plan) {
  if (plan.empty() || plan.size() > kMaxPlanBytes) {
    throw Error("a plan of {} bytes cannot be appended to a WebAssembly module", plan.size());
  }
  const std::vector<Section> sections = ReadSections(module);
  CheckImports(sections);
  const uint32_t location = GlobalValue(sections, PlanGlobalIndex(sections));
  const Memory memory = GrowMemory(sections, plan.size());
  const uint64_t memory_bytes = memory.pages * kPageBytes;
  if (uint64_t{location} + 8 > memory_bytes || memory_bytes > kMaxPlanBytes) {
    throw Error("'{}' is not in the WebAssembly module's memory of {} bytes", kPlanGlobal,
                memory_bytes);
  }
  const auto address = static_cast<uint32_t>(memory_bytes);

  WasmReader old_data = Find(sections, SectionId::kData, "data");
  const uint32_t num_segments = old_data.ReadUnsigned();
  if (num_segments > UINT32_MAX - 2) throw Error("the WebAssembly module has too much data");
  WasmWriter data;
  data.Unsigned(num_segments + 2);
  data.Bytes(old_data.Rest());
  WriteSegment(address, plan, data);
  WriteSegment(location, LittleEndianWords(address, static_cast<uint32_t>(plan.size())), data);
  const std::vector<std::byte> data_section = data.Take();
  WasmWriter data_count;
  data_count.Unsigned(num_segments + 2);
  const std::vector<std::byte> data_count_section = data_count.Take();

  WasmWriter linked;
  linked.Bytes(std::as_bytes(std::span(kModuleHeader)));
  for (const Section& section : sections) {
    std::span<const std::byte> content = section.content;
    if (section.id == SectionId::kMemory) content = memory.section;
    if (section.id == SectionId::kDataCount) content = data_count_section;
    if (section.id == SectionId::kData) content = data_section;
    linked.Byte(static_cast<uint8_t>(section.id));
    linked.Unsigned(static_cast<uint32_t>(content.size()));
    linked.Bytes(content);
  }
  return linked.Take();
}

}  // namespace carat::compiler
