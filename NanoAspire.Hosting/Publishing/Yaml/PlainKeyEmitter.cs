using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace NanoAspire.Hosting.Publishing.Yaml;

/// <summary>Takes the quotes off keys; the emitter behind it puts them back where a key could not do without.</summary>
internal sealed class PlainKeyEmitter(IEmitter inner) : IEmitter
{
    /// <summary>For each open collection whether the next node is a key; null in a sequence.</summary>
    private readonly Stack<bool?> _open = [];

    public void Emit(ParsingEvent @event)
    {
        switch (@event)
        {
            case MappingEnd or SequenceEnd:
                _open.Pop();
                break;
            case Scalar scalar when IsKey():
                @event = new Scalar(scalar.Anchor, scalar.Tag, scalar.Value, ScalarStyle.Plain, isPlainImplicit: true, isQuotedImplicit: true);
                Next();
                break;
            case Scalar:
                Next();
                break;
            case MappingStart:
                Next();
                _open.Push(true);
                break;
            case SequenceStart:
                Next();
                _open.Push(null);
                break;
        }
        inner.Emit(@event);
    }

    private bool IsKey() => _open.TryPeek(out var key) && key == true;

    private void Next()
    {
        if (_open.TryPeek(out var key) && key is { } wasKey)
        {
            _open.Pop();
            _open.Push(!wasKey);
        }
    }
}
