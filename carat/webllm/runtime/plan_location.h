// Where the plan lies: what appends it to the module (link_plan.h of the compiler) writes this
// global, which the module exports as "carat_plan".

#ifndef CARAT_WEBLLM_RUNTIME_PLAN_LOCATION_H_
#define CARAT_WEBLLM_RUNTIME_PLAN_LOCATION_H_

#include <stdint.h>

struct PlanLocation {
  uint32_t address;
  uint32_t num_bytes;  // 0: no plan
};

extern "C" PlanLocation carat_plan;

#endif  // CARAT_WEBLLM_RUNTIME_PLAN_LOCATION_H_
