using System.IO.Hashing;
using System.Text;
using NanoAspire.Router.Nodes;

namespace NanoAspire.Router.Images;

/// <summary>
/// Orders encoders for an image by rendezvous hashing: the same image goes to the same encoder, which may still know it, and an encoder
/// that comes or goes moves only its own share. Those busier than 1.25 times the mean come last.
/// </summary>
internal static class ImageAffinity
{
    private const double Bound = 1.25;

    public static Node[] Rank(string digest, IReadOnlyCollection<Node> encoders)
    {
        var total = 1 + encoders.Sum(static node => node.InFlight);   // the image to place counts
        var limit = Math.Ceiling(Bound * total / Math.Max(1, encoders.Count));
        return [.. encoders.OrderBy(node => node.InFlight + 1 > limit).ThenByDescending(node => XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(node.Url + digest)))];
    }
}
