using System.Globalization;

namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>A port by number or by name; a template expression that yields a number counts as one.</summary>
public sealed class Int32OrStringV1
{
    public Int32OrStringV1(int number) => Number = number;
    public Int32OrStringV1(string? text) => Text = text;

    public int? Number { get; }
    public string? Text { get; }

    public static implicit operator Int32OrStringV1(int value) => new(value);
    public static implicit operator Int32OrStringV1?(string? value) => value is null ? null : new(value);

    public override string ToString() => Number?.ToString(CultureInfo.InvariantCulture) ?? Text ?? "";
}
