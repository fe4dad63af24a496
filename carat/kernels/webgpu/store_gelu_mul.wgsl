      for (var i = 0u; i < 2u; i++) {
        let r = workgroup.x * 32u + pair + i;
        if (r < ${width}u) {
          ${y}[token * ${width}u + r] = gelu_tanh(sum[i]) * sum[i + 2u];
        }
      }
