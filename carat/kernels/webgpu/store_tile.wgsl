      for (var i = 0u; i < 4u; i++) {
        let r = workgroup.x * 64u + pair + i % 2u + i / 2u * 32u;
        if (r < ${width}u) {
          ${y}[token * ${width}u + r] = sum[i];
        }
      }
