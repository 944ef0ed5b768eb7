using NanoAspire.Answers;
using NanoAspire.Engine.Server.Hosting;
using NanoAspire.Engine.Text.Grammar;

namespace NanoAspire.Engine.Server.Requests;

/// <summary>Grammars of requests, compiled for the served model's vocabulary, which is read into a tree when the first request needs it.</summary>
internal sealed class GrammarSource(ServedModel model)
{
    /// <summary>Enough for a thought's opening marker and line ends after it, in any vocabulary.</summary>
    private const int PromptTail = 16;

    private readonly Lazy<GrammarCache>? _cache = model.Tokenizer is { } tokenizer ? new(() => new GrammarCache(GrammarVocabulary.Create(tokenizer))) : null;

    /// <summary>Null: the request leaves its output free.</summary>
    /// <param name="request">What was asked for.</param>
    /// <param name="prompt">Without output of an earlier run.</param>
    /// <exception cref="BadRequestException">The constraint cannot be compiled; the message says why and where.</exception>
    public CompiledGrammar? Of(InferenceRequest request, ReadOnlySpan<int> prompt)
    {
        if (Constraint(request, prompt) is not { } constraint) return null;
        var param = request.FormatField ?? "tools";
        if (_cache is null) throw new BadRequestException($"model '{model.Name}' has no tokenizer, so its output cannot be constrained", param, "no_tokenizer");
        try { return _cache.Value.Get(constraint); }
        catch (GrammarException e) { throw new BadRequestException(e.Message, param, "invalid_schema"); }
    }

    private OutputConstraint? Constraint(InferenceRequest request, ReadOnlySpan<int> prompt)
    {
        var calls = Calls(request);
        if (calls is null && request.Format is null) return null;
        if (calls is { Required: false } && request.Format is null) return calls;   // free text: a thought is one
        var answer = request.Format is null ? calls! : calls is null ? request.Format : new OutputConstraint.Either(calls, request.Format);
        if (!request.Chat || model.Reasoning is null) return answer;
        var tail = Tail(prompt);
        var open = tail.EndsWith(OutputConstraint.AfterThought.Begin, StringComparison.Ordinal);
        return !open && tail.EndsWith(OutputConstraint.AfterThought.End, StringComparison.Ordinal) ? answer : new OutputConstraint.AfterThought(open, answer);
    }

    private OutputConstraint.ToolCalls? Calls(InferenceRequest request)
    {
        if (request.ToolChoice is not { } choice) return null;
        var syntax = model.ToolCalls?.Name;
        var parallel = request.ParallelToolCalls && !choice.Single;
        if (choice.Required) return new(syntax ?? ToolCallFormat.Json.Name, choice.Functions, Required: true, parallel);
        // With a response format the answer is that or calls; without, only strict functions are worth a grammar.
        return syntax is not null && (request.Format is not null || choice.Functions.Any(function => function.Strict)) ? new(syntax, choice.Functions, request.Format is not null, parallel) : null;
    }

    private string Tail(ReadOnlySpan<int> prompt) =>
        model.Tokenizer!.Decode([.. prompt[Math.Max(0, prompt.Length - PromptTail)..]], skipSpecialTokens: false).TrimEnd();
}
