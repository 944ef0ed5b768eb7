namespace Aspire.Hosting.ApplicationModel;

/// <summary>A network that endpoints are seen from.</summary>
public record struct NetworkIdentifier(string Value)
{
    public override readonly string ToString() => Value;
}
