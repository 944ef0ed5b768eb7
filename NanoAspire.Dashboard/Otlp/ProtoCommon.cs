using NanoAspire.Dashboard.Telemetry;

namespace NanoAspire.Dashboard.Otlp;

/// <summary>Messages that all signals share.</summary>
internal static class ProtoCommon
{
    /// <summary>Finds the resource of a ResourceX message (field 1), wherever it stands, before its records are read.</summary>
    public static TelemetryResource Resource(ProtoReader resourceSignal, Func<OtlpAttribute[], TelemetryResource> intern)
    {
        var attributes = new List<OtlpAttribute>();
        while (resourceSignal.Next())
        {
            if (resourceSignal.Field != 1) continue;
            var resource = resourceSignal.Message();
            while (resource.Next())
            {
                if (resource.Field == 1) AddAttribute(ref resource, attributes);
            }
        }
        return intern([.. attributes]);
    }

    /// <summary>Finds the scope's name (field 1 of ScopeX, field 1 of that).</summary>
    public static string Scope(ProtoReader scopeSignal)
    {
        var name = "";
        while (scopeSignal.Next())
        {
            if (scopeSignal.Field != 1) continue;
            var scope = scopeSignal.Message();
            while (scope.Next())
            {
                if (scope.Field == 1) name = scope.Text(OtlpLimits.TextLength);
            }
        }
        return name;
    }

    public static void AddAttribute(ref ProtoReader reader, List<OtlpAttribute> attributes)
    {
        var pair = reader.Message();
        if (attributes.Count < OtlpLimits.Attributes) attributes.Add(Attribute(pair, OtlpLimits.Depth));
    }

    public static OtlpValue Value(ProtoReader reader, int depth = OtlpLimits.Depth)
    {
        object? content = null;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: content = reader.Text(OtlpLimits.TextLength); break;
                case 2: content = reader.Bool(); break;
                case 3: content = reader.Int64(); break;
                case 4: content = reader.Double(); break;
                case 5: content = List(reader.Message(), depth - 1); break;
                case 6: content = Map(reader.Message(), depth - 1); break;
                case 7: content = reader.Bytes() is { Length: <= OtlpLimits.TextLength } bytes ? bytes.ToArray() : []; break;
            }
        }
        return new OtlpValue(content);
    }

    /// <summary>Hex of an id of <paramref name="length"/> bytes; null when absent, of another length, or all zero.</summary>
    public static string? Id(ReadOnlySpan<byte> bytes, int length) =>
        bytes.Length == length && bytes.IndexOfAnyExcept((byte)0) >= 0 ? Convert.ToHexStringLower(bytes) : null;

    private static OtlpAttribute Attribute(ProtoReader reader, int depth)
    {
        var (key, value) = ("", default(OtlpValue));
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: key = reader.Text(OtlpLimits.TextLength); break;
                case 2: value = Value(reader.Message(), depth); break;
            }
        }
        return new OtlpAttribute(key, value);
    }

    private static OtlpValue[] List(ProtoReader reader, int depth)
    {
        if (depth <= 0) throw new OtlpFormatException("values are nested too deeply");
        var values = new List<OtlpValue>();
        while (reader.Next())
        {
            if (reader.Field == 1 && values.Count < OtlpLimits.Attributes) values.Add(Value(reader.Message(), depth));
        }
        return [.. values];
    }

    private static OtlpAttribute[] Map(ProtoReader reader, int depth)
    {
        if (depth <= 0) throw new OtlpFormatException("values are nested too deeply");
        var values = new List<OtlpAttribute>();
        while (reader.Next())
        {
            if (reader.Field == 1 && values.Count < OtlpLimits.Attributes) values.Add(Attribute(reader.Message(), depth));
        }
        return [.. values];
    }
}
