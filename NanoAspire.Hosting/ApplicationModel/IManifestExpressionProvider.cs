namespace Aspire.Hosting.ApplicationModel;

/// <summary>Something that a manifest names by an expression, such as <c>{ctrl.bindings.http.url}</c>.</summary>
public interface IManifestExpressionProvider
{
    string ValueExpression { get; }
}
