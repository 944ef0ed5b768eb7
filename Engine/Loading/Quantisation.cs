namespace NanoAspire.Engine.Loading;

/// <summary>
/// Block-scaled E4M3 weights, as <c>quantization_config</c> describes them: next to <c>x.weight</c> lies <c>x.weight_scale_inv</c> or <c>x.scale</c> with a
/// factor for every block. Experts may be 4-bit floats (<c>expert_dtype</c>), whose blocks are 32 columns of one row.
/// </summary>
/// <param name="BlockRows">Output features that share a factor.</param>
/// <param name="BlockColumns">Input features that share a factor.</param>
/// <param name="Packed">Whether bytes may hold 4-bit floats.</param>
internal sealed record Quantisation(int BlockRows, int BlockColumns, bool Packed = false)
{
    /// <summary>Null when weights are not quantised.</summary>
    /// <exception cref="ModelLoadException">They are, in some other way.</exception>
    public static Quantisation? Read(ConfigSection config)
    {
        foreach (var other in (string[])["compression_config", "quantization"])
            if (config.Has(other)) throw config.Bad(other, "is set: of quantised weights those with a quantization_config of quant_method fp8 are supported");
        var experts = config.OptionalText("expert_dtype");
        if (experts is not (null or "fp4" or "fp8")) throw config.Bad("expert_dtype", $"'{experts}' is not supported (fp4 and fp8 are)");
        if (config.OptionalSection("quantization_config") is not { } section) return null;
        if (section.OptionalText("quant_method") is var method && method != "fp8") throw section.Bad("quant_method", $"'{method}' is not supported (fp8 is)");
        if (section.OptionalText("fmt") is { } format && format != "e4m3") throw section.Bad("fmt", $"'{format}' is not supported (e4m3 is)");
        if (section.OptionalText("activation_scheme") is { } scheme && scheme != "dynamic") throw section.Bad("activation_scheme", $"'{scheme}' is not supported (dynamic is)");
        if (section.OptionalText("scale_fmt") is { } scales && scales != "ue8m0") throw section.Bad("scale_fmt", $"'{scales}' is not supported (ue8m0 is)");
        if (!section.Has("weight_block_size")) throw section.Bad("weight_block_size", "is missing: only weights with block scales are supported");
        if (section.Counts("weight_block_size") is not [> 0 and var rows, > 0 and var columns]) throw section.Bad("weight_block_size", "must be two positive integers");
        return new(rows, columns, Packed: experts == "fp4");
    }
}
