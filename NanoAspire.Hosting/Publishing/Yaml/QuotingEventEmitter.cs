using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.EventEmitters;

namespace NanoAspire.Hosting.Publishing.Yaml;

/// <summary>Quotes every text: <c>yes</c>, <c>1e3</c> and <c>0x1F</c> stay what they are.</summary>
internal sealed class QuotingEventEmitter(IEventEmitter next) : ChainedEventEmitter(next)
{
    public override void Emit(ScalarEventInfo eventInfo, IEmitter emitter)
    {
        if (eventInfo.Source.Type == typeof(string)) eventInfo.Style = ScalarStyle.DoubleQuoted;
        base.Emit(eventInfo, emitter);
    }
}
