#include "carat/webllm/runtime/plan_location.h"

PlanLocation carat_plan = {0, 0};
