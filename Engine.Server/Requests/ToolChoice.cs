using NanoAspire.Engine.Text.Grammar;

namespace NanoAspire.Engine.Server.Requests;

/// <summary>What a request says about calling its tools.</summary>
/// <param name="Functions">Those that may be called.</param>
/// <param name="Required">At least one has to be.</param>
/// <param name="Single">Exactly one call: the function was named.</param>
internal sealed record ToolChoice(IReadOnlyList<ToolFunction> Functions, bool Required, bool Single);
